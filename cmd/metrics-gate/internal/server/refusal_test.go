package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
)

// TestConnectionsOfThoseWithoutRightsMakeRoom: any CI job can mint a token that proves an
// identity. Connections of one that may do nothing, kept open, must not shut the scraper out.
func TestConnectionsOfThoseWithoutRightsMakeRoom(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"METRICS_ALLOW=dns:prometheus.demo",
		config.Prefix+"PPROF_ALLOW=",
		config.Prefix+"MAX_CONNECTIONS_PER_ADDRESS=4", config.Prefix+"MAX_CONNECTIONS=4")
	url := "https://" + f.Server.Addr().String()
	for i, path := range []string{"/metrics", "/gate/metrics", "/debug/pprof/heap", "/none"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+f.Token(t))
		answer, err := f.Client(t, false).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close() // and the connection stays
		if want := [...]int{403, 403, 403, 404}[i]; answer.StatusCode != want {
			t.Fatalf("%s: %d, want %d", path, answer.StatusCode, want)
		}
	}
	answer, err := f.Client(t, true).Get(url + "/metrics")
	if err != nil {
		t.Fatal("the scraper is shut out:", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("scraper: %d", answer.StatusCode)
	}
}

// The log line of every refusal says who, by which rule, and what to change; and never
// a token.
func TestRefusalsTeach(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"RATE_LIMIT=0.01", config.Prefix+"RATE_BURST=9")
	token := f.Token(t)
	bearer := []string{"Authorization", "Bearer " + token}
	certificate, nobody := f.Client(t, true), f.Client(t, false)
	for _, test := range []struct {
		name           string
		client         *http.Client
		method, target string
		headers        []string
		status         int
		want           []string
	}{
		{"no credential", nobody, "GET", "/metrics", nil, 401,
			[]string{"authentication refused", "reason=no_credential", "present a client certificate"}},
		{"bad token", nobody, "GET", "/metrics", []string{"Authorization", "Bearer mg_hidden"}, 401,
			[]string{"authentication refused", "reason=unknown"}},
		{"denied", nobody, "GET", "/debug/pprof/heap", bearer, 403,
			[]string{"authorization refused", "subject=token:prometheus", "PPROF_ALLOW",
				"add one of: token:prometheus"}},
		{"no route", certificate, "GET", "/hidden?token=hidden", nil, 404,
			[]string{"request refused", "subject=dns:prometheus.demo", `reason="not found"`, "ask for /metrics"}},
		{"cmdline", certificate, "GET", "/debug/pprof/cmdline", nil, 404,
			[]string{"request refused", "PPROF_CMDLINE=true"}},
		{"method", certificate, "DELETE", "/metrics", nil, 405,
			[]string{"request refused", "/metrics: the route", "use GET"}},
		{"target", certificate, "GET", "/%6detrics", nil, 400, []string{"request refused", "not literal"}},
		{"query", certificate, "GET", "/debug/pprof/profile?seconds=x", nil, 400,
			[]string{"request refused", "seconds is a number"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := len(f.Log.String())
			if response, _ := f.Ask(t, test.client, test.method, test.target, test.headers...); response.StatusCode !=
				test.status {
				t.Fatalf("%d, want %d", response.StatusCode, test.status)
			}
			said := f.WaitFor(t, before, test.want[0])
			for _, want := range test.want {
				if !strings.Contains(said, want) {
					t.Errorf("no %q in\n%s", want, said)
				}
			}
		})
	}
	for range 12 {
		f.Ask(t, certificate, "GET", "/metrics")
	}
	f.WaitFor(t, 0, "too many requests")
	if log := f.Log.String(); strings.Contains(log, token) || strings.Contains(log, "hidden") {
		t.Errorf("a secret is in the log:\n%s", log)
	}
}
