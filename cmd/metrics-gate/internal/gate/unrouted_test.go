package gate

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestUnroutedAdvice(t *testing.T) {
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
		{404, "GET", "/metrics/?key=value", "", false, "/metrics/: no such route", "value"},
		{404, "GET", "/Metrics", "", false, "/Metrics: no such route", ""},
		{404, "GET", "/", "", false, "/: no such route", ""},
		{404, "GET", "/federate/password", "", false, "no such route", "password"},
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
		got := unroutedAdvice(test.status, r, test.cmdline)
		if (test.advice == "") != (got == "") || !strings.Contains(got, test.advice) ||
			(test.without != "" && strings.Contains(got, test.without)) {
			t.Errorf("%d %s: %q, want %q", test.status, test.target, got, test.advice)
		}
	}
}

// A plain scrape costs nothing here: the writer is passed on as it is.
func TestPlainScrapesAreNotWatched(t *testing.T) {
	var passed http.ResponseWriter
	h := logUnrouted(nil, false)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { passed = w }))
	w := httptest.NewRecorder()
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
	if inner, ok := passed.(interface{ Unwrap() http.ResponseWriter }); !ok ||
		inner.Unwrap() != http.ResponseWriter(w) {
		t.Errorf("%T does not unwrap", passed)
	}
}
