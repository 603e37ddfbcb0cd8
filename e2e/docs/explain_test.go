package docs

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// caller is a client, and its identity as check --as takes it.
type caller struct {
	as     string
	client *http.Client
	token  string
}

func (c caller) ask(t *testing.T, url string) int {
	t.Helper()
	return harness.Status(t, c.client, url, c.token)
}

// For every caller and path, check --as predicts the status of the gate's answer.
func TestExplanationMatchesTheAnswer(t *testing.T) {
	runner := harness.StartRunner(t, withProfiles(harness.Replay(t)))
	p := newSetup(t, runner.Address, "RATE_LIMIT=1000", "RATE_BURST=1000",
		"METRICS_ALLOW=dns:prometheus.example,token:prometheus,uri:spiffe://example/ns/*/sa/prometheus,"+
			"email:ops@example.org",
		"PPROF_ALLOW=uri:spiffe://example/ns/dev/sa/prometheus,cn:developer")
	gate := harness.StartGate(t, p.environ...)
	certified := func(as string, o testca.Options) caller {
		return caller{as: as, client: p.Client(testca.Must(p.CA.Issue(o)))}
	}
	callers := []caller{
		certified("dns:prometheus.example", testca.Options{DNSNames: []string{"prometheus.example"}}),
		certified("dns:other.example", testca.Options{DNSNames: []string{"other.example"}}),
		certified("dns:PROMETHEUS.example", testca.Options{DNSNames: []string{"PROMETHEUS.example"}}),
		certified("uri:spiffe://example/ns/dev/sa/prometheus",
			testca.Options{URIs: []string{"spiffe://example/ns/dev/sa/prometheus"}}),
		certified("uri:spiffe://example/ns/a/b/sa/prometheus",
			testca.Options{URIs: []string{"spiffe://example/ns/a/b/sa/prometheus"}}),
		certified("email:ops@example.org", testca.Options{Emails: []string{"ops@example.org"}}),
		certified("cn:developer", testca.Options{CommonName: "developer"}),
		{as: "token:prometheus", client: p.Client(nil), token: read(t, p.File("token"))},
	}
	for _, c := range callers {
		for _, path := range []string{
			"/metrics", "/gate/metrics", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline", "/debug/pprof",
			"/debug/jobs/list",
			"/", "/metrics/", "//metrics", "/%6detrics", "/debug/../metrics", "/metrics;x", "/metrics?name[]=up",
		} {
			var report struct {
				Decision struct {
					Status    int
					Rule, Why string
				}
			}
			got := c.ask(t, "https://"+gate.Address+path)
			code := 0
			if got != http.StatusOK {
				code = 1 // a refusal
			}
			out := p.gate(t, code, "check", "--json", "--as", c.as, "--path", path)
			if err := json.Unmarshal([]byte(out), &report); err != nil {
				t.Fatal(err)
			}
			if got != report.Decision.Status ||
				report.Decision.Why == "" {
				t.Errorf("%s %s: the gate answers %d, check says %+v", c.as, path, got, report.Decision)
			}
			if (report.Decision.Status == http.StatusOK) != (report.Decision.Rule != "") {
				t.Errorf("%s %s: no rule: %+v", c.as, path, report.Decision)
			}
		}
	}
}

// The gate allows a caller after the change that check advises.
func TestAdviceLetsTheCallerIn(t *testing.T) {
	runner := harness.StartRunner(t, harness.Replay(t))
	p := newSetup(t, runner.Address, "METRICS_ALLOW=dns:prometheus.example")
	token := caller{as: "token:prometheus", client: p.Client(nil), token: read(t, p.File("token"))}
	for allow, want := range map[string]int{"dns:prometheus.example": 403, "dns:prometheus.example," + token.as: 200} {
		p.environ = append(p.environ, "METRICS_ALLOW="+allow)
		gate := harness.StartGate(t, p.environ...)
		if got := token.ask(t, fmt.Sprintf("https://%s/metrics", gate.Address)); got != want {
			t.Errorf("%s: %d, want %d", allow, got, want)
		}
	}
}
