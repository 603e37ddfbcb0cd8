package main

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The log line of every refusal says who, by which rule, and what to change; and never
// a token.
func TestRefusalsTeach(t *testing.T) {
	f := startFixture(t, exposes("up 1\n"), prefix+"RATE_LIMIT=0.01", prefix+"RATE_BURST=9")
	token := f.token(t)
	bearer := []string{"Authorization", "Bearer " + token}
	certificate, nobody := f.client(t, true), f.client(t, false)
	for _, test := range []struct {
		name           string
		client         *http.Client
		method, target string
		headers        []string
		status         int
		want           []string
	}{
		{"no credential", nobody, "GET", "/metrics", nil, 401, []string{"authentication refused", "reason=no_credential", "present a client certificate"}},
		{"bad token", nobody, "GET", "/metrics", []string{"Authorization", "Bearer mg_hidden"}, 401, []string{"authentication refused", "reason=unknown"}},
		{"denied", nobody, "GET", "/debug/pprof/heap", bearer, 403, []string{"authorization refused", "subject=token:prometheus", "PPROF_ALLOW", "add one of: token:prometheus"}},
		{"no route", certificate, "GET", "/hidden?token=hidden", nil, 404, []string{"request refused", "subject=dns:prometheus.demo", `reason="not found"`, "ask for /metrics"}},
		{"cmdline", certificate, "GET", "/debug/pprof/cmdline", nil, 404, []string{"request refused", "PPROF_CMDLINE=true"}},
		{"method", certificate, "DELETE", "/metrics", nil, 405, []string{"request refused", "/metrics: the route", "use GET"}},
		{"target", certificate, "GET", "/%6detrics", nil, 400, []string{"request refused", "not literal"}},
		{"query", certificate, "GET", "/debug/pprof/profile?seconds=x", nil, 400, []string{"request refused", "seconds is a number"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := len(f.log.String())
			if response, _ := f.ask(t, test.client, test.method, test.target, test.headers...); response.StatusCode != test.status {
				t.Fatalf("%d, want %d", response.StatusCode, test.status)
			}
			said := waitFor(f.log, before, test.want[0])
			for _, want := range test.want {
				if !strings.Contains(said, want) {
					t.Errorf("no %q in\n%s", want, said)
				}
			}
		})
	}
	for range 12 {
		f.ask(t, certificate, "GET", "/metrics")
	}
	if said := waitFor(f.log, 0, "too many requests"); !strings.Contains(said, "too many requests") {
		t.Error("429 is not logged")
	}
	if log := f.log.String(); strings.Contains(log, token) || strings.Contains(log, "hidden") {
		t.Errorf("a secret is in the log:\n%s", log)
	}
}

// waitFor returns what was logged after the first before bytes, once it has text.
func waitFor(log *syncBuffer, before int, text string) string {
	for range 500 {
		if said := log.String()[before:]; strings.Contains(said, text) {
			return said
		}
		time.Sleep(time.Millisecond)
	}
	return log.String()[before:]
}

func TestRefusalAdvice(t *testing.T) {
	for _, test := range []struct {
		status          int
		method, target  string
		body            string
		cmdline         bool
		advice, without string
	}{
		{200, "GET", "/metrics", "", false, "", ""},
		{403, "GET", "/metrics", "", false, "", ""},
		{429, "GET", "/metrics", "", false, "", ""},
		{502, "GET", "/metrics", "", false, "", ""},
		{400, "GET", "/metrics", "x", false, "a body where none belongs", ""},
		{413, "POST", "/debug/pprof/symbol", "x", false, "too large", ""},
		{417, "GET", "/metrics", "", false, "100-continue", ""},
		{404, "GET", "/debug/pprof/cmdline", "", true, "no such route", "PPROF_CMDLINE"},
		{404, "GET", "/mg_secret?key=value", "", false, "no such route", "mg_secret"},
		{405, "mg_secret", "/metrics", "", false, "/metrics: the route", "mg_secret"},
		{417, "GET", "/mg_secret", "", false, "the path: only Expect", "mg_secret"},
		{400, "GET", "/metrics;x?seconds=1", "", false, "not literal", "seconds"},
	} {
		r, err := http.NewRequest(test.method, "http://localhost", io.Reader(bytes.NewReader([]byte(test.body))))
		if err != nil {
			t.Fatal(err)
		}
		r.RequestURI = test.target
		got := refusalAdvice(test.status, r, test.cmdline)
		if (test.advice == "") != (got == "") || !strings.Contains(got, test.advice) || (test.without != "" && strings.Contains(got, test.without)) {
			t.Errorf("%d %s: %q, want %q", test.status, test.target, got, test.advice)
		}
	}
}

// A plain scrape costs nothing here: the writer is passed on as it is.
func TestPlainScrapesAreNotWatched(t *testing.T) {
	var passed http.ResponseWriter
	h := explainRefusals(nil, false)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { passed = w }))
	w := &verdictWriter{header: http.Header{}}
	r, err := http.NewRequest(http.MethodGet, "http://localhost/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.RequestURI = "/metrics"
	h.ServeHTTP(w, r)
	if passed != http.ResponseWriter(w) {
		t.Errorf("%T", passed)
	}
	r.RequestURI = "/debug/pprof/heap"
	h.ServeHTTP(w, r)
	if inner, ok := passed.(interface{ Unwrap() http.ResponseWriter }); !ok || inner.Unwrap() != http.ResponseWriter(w) {
		t.Errorf("%T does not unwrap", passed)
	}
}
