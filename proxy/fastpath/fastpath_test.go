package fastpath

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// What is answered here is what net/http answers to the same request.
func TestAnswersAreThoseOfNetHTTP(t *testing.T) {
	big := strings.Repeat("metric{label=\"value\"} 1\n", 9000)
	for name, h := range map[string]http.HandlerFunc{
		"known length": text,
		"two writes": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Content-Length", fmt.Sprint(2*len(big)))
			_, _ = io.WriteString(w, big)
			_, _ = io.WriteString(w, big)
		},
		"chunked": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			for range 3 {
				_, _ = io.WriteString(w, big)
			}
		},
		"flushed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, "a")
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, big)
		},
		"only a head, flushed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_ = http.NewResponseController(w).Flush()
		},
		"nothing": func(http.ResponseWriter, *http.Request) {},
		"refusal": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Retry-After", "3")
			w.Header().Set("Content-Length", "2")
			w.WriteHeader(http.StatusTooManyRequests)
			w.WriteHeader(http.StatusOK) // too late
			_, _ = io.WriteString(w, "no")
		},
		"closes": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept") == "last" {
				w.Header().Set("Connection", "close")
			}
			text(w, r)
		},
		"several values": func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Vary"] = []string{"Accept", "Accept-Encoding"}
			w.Header()["Bad-Length"] = []string{"x"}
			text(w, r)
		},
	} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", tls ", secure), func(t *testing.T) {
				g := start(t, secure, h)
				c := g.dial(t)
				for _, last := range []bool{false, true} {
					head := scrapeHead
					if last {
						head = strings.Replace(head, "text/plain", "last", 1)
					}
					var want answer
					if last {
						want = g.dial(t).ask(head)
					} else {
						want = c.ask(head)
					}
					compare(t, want, c.ask(head))
				}
			})
		}
	}
}

func compare(t *testing.T, want, got answer) {
	t.Helper()
	if want.Header.Get("By") != "net/http" || got.Header.Get("By") != "fastpath" {
		t.Fatalf("answered by %q and %q", want.Header.Get("By"), got.Header.Get("By"))
	}
	for _, a := range []answer{want, got} {
		if _, err := http.ParseTime(a.Header.Get("Date")); err != nil {
			t.Error(err)
		}
		a.Header.Del("Date")
		a.Header.Del("By")
	}
	if got.Status != want.Status || got.Proto != want.Proto || got.body != want.body || got.err != want.err ||
		got.Close != want.Close ||
		got.ContentLength != want.ContentLength ||
		!slices.Equal(got.TransferEncoding, want.TransferEncoding) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if !maps.EqualFunc(got.Header, want.Header, slices.Equal) {
		t.Errorf("header %v, want %v", got.Header, want.Header)
	}
}

func TestOnlyAuthorizedConnectionsAreTakenOver(t *testing.T) {
	g := start(t, false, text)
	g.http.Config.Handler = g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := w.(*response); ok {
			t.Error("taken over")
		}
		text(w, r)
	}))
	c := g.dial(t)
	for range 3 {
		c.ask(scrapeHead)
	}
}

func TestOffLeavesAllConnectionsToNetHTTP(t *testing.T) {
	g := start(
		t,
		false,
		func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") },
		func(o *Options) { o.Off = true },
	)
	c := g.dial(t)
	for range 3 {
		if got := c.ask(scrapeHead); got.Header.Get("By") != "net/http" {
			t.Errorf("answered by %s", got.Header.Get("By"))
		}
	}
}

// A request that changes is parsed anew, and is answered here if it is plain.
func TestHeadsMayChange(t *testing.T) {
	g := start(t, true, func(w http.ResponseWriter, r *http.Request) {
		w.Header().
			Set("Seen", r.Header.Get("Accept")+" "+r.Header.Get("Authorization")+" "+
				r.UserAgent()+" "+r.Host+" "+r.RemoteAddr)
		if r.TLS == nil || r.Body == nil || r.Method+r.RequestURI+r.URL.Path != "GET/metrics/metrics" {
			t.Errorf("request %+v", r)
		}
		text(w, r)
	})
	c := g.dial(t).takenOver()
	local := c.LocalAddr().String()
	for i, accept := range []string{"a/b", "a/b;q=0.1, */*", "c/d"} {
		head := fmt.Sprintf(
			"GET /metrics HTTP/1.1\r\nhost: gate\r\nACCEPT: %s\r\nAuthorization: Bearer t%d\r\n\r\n",
			accept,
			i,
		)
		for range 2 {
			got := c.ask(head)
			if want := fmt.Sprintf("%s Bearer t%d  gate %s", accept, i, local); got.Header.Get("Seen") != want ||
				got.Header.Get("By") != "fastpath" {
				t.Errorf("seen %q by %s, want %q", got.Header.Get("Seen"), got.Header.Get("By"), want)
			}
		}
	}
}

func TestTimeouts(t *testing.T) {
	g := start(t, false, text, func(o *Options) { o.IdleTimeout = 500 * time.Millisecond })
	if c := g.dial(t).takenOver(); !c.closed() {
		t.Error("an idle connection stays open")
	}
	body := make([]byte, 64<<20)
	var armed atomic.Bool
	failed := make(chan error, 1)
	g = start(t, false, func(w http.ResponseWriter, r *http.Request) {
		if !armed.Load() {
			text(w, r)
			return
		}
		_, err := w.Write(body)
		failed <- err
	}, func(o *Options) { o.WriteTimeout = 50 * time.Millisecond })
	c := g.dial(t).takenOver()
	armed.Store(true)
	c.send(scrapeHead) // and read nothing
	select {
	case err := <-failed:
		if err == nil {
			t.Error("64 MiB fitted into the socket")
		}
	case <-time.After(5 * time.Second):
		t.Error("a reader that takes nothing holds the answer")
	}
}
