package scrape

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/metrics-gate/metrics-gate/proxy"
)

func TestCompressAnswersAsMetricsDo(t *testing.T) {
	body := readRunner(t)
	answer := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	encoded := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		_, _ = io.WriteString(w, body)
	}
	implied := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Vary", "Accept") // as promhttp does
		_, _ = io.WriteString(w, body)
	}
	for name, c := range map[string]struct {
		next            http.HandlerFunc
		method, accepts string
		off             bool
		want            string // content encoding
	}{
		"gzip":             {next: answer(200), accepts: "gzip", want: "gzip"},
		"zstd is better":   {next: answer(200), accepts: "gzip, zstd", want: "zstd"},
		"by weight":        {next: implied, accepts: "gzip, zstd;q=0.5", want: "gzip"},
		"neither":          {next: implied, accepts: "br"},
		"off":              {next: implied, accepts: "gzip", off: true},
		"HEAD":             {next: implied, method: "HEAD", accepts: "gzip"},
		"refused":          {next: answer(503), accepts: "gzip"},
		"encoded by next":  {next: encoded, accepts: "gzip", want: "br"},
		"nothing accepted": {next: implied},
	} {
		h := New(Options{Compression: !c.off})
		w, r := httptest.NewRecorder(), httptest.NewRequest(c.method, "/gate/metrics", nil)
		if c.accepts != "" {
			r.Header.Set("Accept-Encoding", c.accepts)
		}
		h.Compress(c.next).ServeHTTP(w, r)
		got := w.Body.String()
		if encoding := w.Header().Get("Content-Encoding"); encoding != c.want {
			t.Errorf("%s: encoding %q, want %q", name, encoding, c.want)
		}
		if c.want == "gzip" || c.want == "zstd" {
			got = decode(t, c.want, got)
			if w.Header().Get("Content-Length") != "" {
				t.Errorf("%s: length of another body", name)
			}
		}
		if got != body || w.Header().Get("Vary") != "Accept, Accept-Encoding" {
			t.Errorf("%s: %d bytes, want %d; header %v", name, len(got), len(body), w.Header())
		}
	}
}

func TestCompressReleasesAfterPanic(t *testing.T) {
	h := New(Options{Compression: true})
	r := httptest.NewRequest("GET", "/gate/metrics", nil)
	r.Header.Set("Accept-Encoding", "zstd")
	func() {
		defer func() { _ = recover() }()
		h.Compress(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })).
			ServeHTTP(httptest.NewRecorder(), r)
	}()
	if n := h.buffers.zstd.Len(); n != 1 {
		t.Errorf("%d compressors kept, want 1", n)
	}
}

// The gate's own metrics in every encoding that its scrapes have.
func ExampleHandler_Compress() {
	registry := prometheus.NewRegistry()
	h := New(Options{Compression: true, Observer: proxy.NewObserver(registry)})
	own := promhttp.HandlerFor(registry, promhttp.HandlerOpts{DisableCompression: true})
	r := httptest.NewRequest("GET", "/gate/metrics", nil)
	r.Header.Set("Accept-Encoding", "gzip, zstd")
	w := httptest.NewRecorder()
	h.Compress(own).ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Content-Encoding"))
	// Output: 200 zstd
}
