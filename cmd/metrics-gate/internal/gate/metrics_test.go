package gate

import (
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/proxy/exposition"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// The runner's name may change while the gate runs, and every format has it.
func TestOwnMetricsFollowTheLabels(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "g", Help: "h"}))
	var labels atomic.Pointer[exposition.Labels]
	own := ownMetrics(registry, labels.Load)
	for _, name := range []string{"one", "two"} {
		labels.Store(testca.Must(exposition.Compile(exposition.Label{Name: "runner_name", Value: name})))
		for accept, want := range map[string]string{
			"": `g{runner_name="` + name + `"} 0`,
			"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited": name,
		} {
			request := httptest.NewRequest("GET", "/gate/metrics", nil)
			request.Header.Set("Accept", accept)
			answer := httptest.NewRecorder()
			own.ServeHTTP(answer, request)
			if answer.Code != 200 || !strings.Contains(answer.Body.String(), want) {
				t.Errorf("%s, Accept %q: %d %q", name, accept, answer.Code, answer.Body)
			}
		}
	}
}
