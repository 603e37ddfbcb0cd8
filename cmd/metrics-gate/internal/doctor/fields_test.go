package doctor

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/configtest"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// Programs read doctor --json: its fields keep their names.
func TestFieldsOfDoctorJSON(t *testing.T) {
	var out, errors bytes.Buffer
	environ := []string{config.Prefix + "RATE_LIMIT=x", config.Prefix + "UPSTREAM_URL=127.0.0.1:9"}
	if code := gatetest.Run(t.Context(), Command(), gatetest.Process(environ, &out, &errors), "--json"); code != 1 {
		t.Errorf("status %d: %s", code, errors.String())
	}
	const want = "findings[].advice\nfindings[].level\nfindings[].what\nok\nsettings\n"
	if got := configtest.Fields(t, out.Bytes()); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// What doctor sees of the runner has the advice that the gate's log has for its reason.
func TestDoctorGivesTheAdviceOfTheLog(t *testing.T) {
	answers := func(status int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for url, reason := range map[string]upstream.Reason{
		"http://" + closed.Addr().String(): upstream.ReasonRefused,
		answers(http.StatusNotFound):       upstream.ReasonStatus,
		answers(http.StatusFound):          upstream.ReasonStatus,
		answers(http.StatusBadGateway):     upstream.ReasonStatus,
	} {
		d := patient(t, config.Prefix+"UPSTREAM_URL="+url)
		found := d.runner(t.Context())
		if len(found) != 1 || found[0].Level != cli.LevelFail || found[0].Do != reason.Advice(d.upstream()) {
			t.Errorf("%s: %+v, want the advice %q", reason, found, reason.Advice(d.upstream()))
		}
	}
}
