package hostile_test

import (
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// refusedTargets are 400 for every identity.
var refusedTargets = []string{
	"/%6detrics", "/metrics%00", "/metrics%2f", "/%2e%2e/metrics", "/debug%2fpprof/", "/metrics%20", "/%", "/metrics%",
	"//metrics", "/metrics//", "///", "/./metrics", "/metrics/.", "/metrics/..", "/../metrics",
	"/debug/pprof/../../metrics",
	"/metrics/../debug/jobs/list", "/metrics;a=b", "/metrics;", "/debug/pprof;x/heap", "/metrics#",
	"/metrics#/debug/pprof/", "/metrics?a#b",
	"http://127.0.0.1/metrics", "https://gate.example/metrics", "HTTP://x/metrics", "http:/metrics",
	"gopher://x/metrics", "file:///etc/passwd",
	`/metrics\`, `/\metrics`, `\metrics`, "*", "/metr\u00efcs",
}

// absentTargets are 404.
var absentTargets = []string{
	"/", "/metrics/", "/Metrics", "/METRICS", "/metric", "/metricss", "/metrics.", "/metrics/x", "/gate", "/gate/",
	"/gate/metrics/", "/favicon.ico",
	"/debug", "/debug/", "/debug/pprof", "/debug/pprof/heap/", "/debug/pprof/Heap", "/debug/pprof/x",
	"/debug/pprof/cmdline",
	"/livez", "/readyz", "/-/metrics", "/~", "/...", "/.hidden", "/metrics,", "/metrics:", "/metrics@", "/metrics|",
	"/\"metrics\"", "/{metrics}", "/debug/vars",
}

func TestOnlyLiteralTargetsPass(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	for _, list := range []struct {
		targets []string
		status  int
	}{{refusedTargets, 400}, {absentTargets, 404}} {
		for _, target := range list.targets {
			t.Run(target, func(t *testing.T) {
				// net/http refuses some of these itself, before authentication.
				for _, wire := range []*harness.Wire{w.dialAs(t, w.ops), w.dialAs(t, w.guest)} {
					reply := wire.RoundTrip(t, "GET", get(target))
					if reply.Status == 400 && reply.Close {
						continue
					}
					expect(t, reply, list.status)
				}
			})
		}
	}
	if got := w.recorder.Bytes(); got != "" {
		t.Errorf("reached the runner: %q", got)
	}
}

func TestQueryNeverReachesTheRunner(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	wire := w.dialAs(t, w.scraper)
	for _, query := range []string{"", "?", "?name[]=up", "?%2e%2e%2f", "?a=b;c=d", "?x=/../../debug/jobs/list",
		"?a=//b", "??", "?token=x&access_token=y"} {
		reply := wire.RoundTrip(t, "GET", get("/metrics"+query))
		expect(t, reply, 200)
		if reply.Body != labelled {
			t.Errorf("%s: %q", query, reply.Body)
		}
	}
	for _, r := range w.recorder.Requests() {
		if r != gateRequest(t, w, strings.TrimSpace(acceptOf(r))) || strings.Contains(r, "?") {
			t.Errorf("reached the runner: %q", r)
		}
	}
}

// acceptOf returns the value of a request's Accept header.
func acceptOf(r string) string {
	_, rest, _ := strings.Cut(r, "\r\nAccept:")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

func TestOtherRunnerPathsAreUnreachable(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample), "PPROF_CMDLINE=true")
	for _, target := range []string{"/debug/jobs/list", "/debug/process/state", "/health/ready",
		"/debug/pprof/../jobs/list", "/debug/jobs/list?x=/metrics", "/debug//jobs/list"} {
		for who, pair := range map[string]*testca.Pair{"ops": w.ops, "scraper": w.scraper, "guest": w.guest,
			"token": nil} {
			wire := w.dialAs(t, pair)
			for _, method := range []string{"GET", "HEAD", "POST", "DELETE", "OPTIONS"} {
				lines := []string{}
				if pair == nil {
					lines = []string{bearer(w.token)}
				}
				if reply := wire.RoundTrip(t, method, request(method, target, lines...)); reply.Status != 404 &&
					reply.Status != 400 {
					t.Errorf("%s %s as %s: %d %q", method, target, who, reply.Status, reply.Body)
				}
			}
		}
	}
	if got := w.recorder.Bytes(); got != "" {
		t.Errorf("reached the runner: %q", got)
	}
}
