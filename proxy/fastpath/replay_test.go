package fastpath

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

// What is not a scrape in the plainest form is answered by net/http, and so is all that
// comes on the connection after it.
func TestOtherRequestsGoBack(t *testing.T) {
	for name, c := range map[string]struct {
		request string
		status  int
	}{
		"another path":      {"GET /gate/metrics HTTP/1.1\r\nHost: gate\r\n\r\n", 200},
		"a query":           {"GET /metrics?a=b HTTP/1.1\r\nHost: gate\r\n\r\n", 200},
		"an escape":         {"GET /%6detrics HTTP/1.1\r\nHost: gate\r\n\r\n", 200},
		"the absolute form": {"GET http://gate/metrics HTTP/1.1\r\nHost: gate\r\n\r\n", 200},
		"HEAD":              {"HEAD /metrics HTTP/1.1\r\nHost: gate\r\n\r\n", 200},
		"POST":              {"POST /metrics HTTP/1.1\r\nHost: gate\r\nContent-Length: 3\r\n\r\nabc", 200},
		"a body":            {"GET /metrics HTTP/1.1\r\nHost: gate\r\nContent-Length: 3\r\n\r\nabc", 200},
		"chunks": {
			"GET /metrics HTTP/1.1\r\nHost: gate\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200,
		},
		"no length":        {"GET /metrics HTTP/1.1\r\nHost: gate\r\nContent-Length: 0\r\n\r\n", 200},
		"Connection":       {"GET /metrics HTTP/1.1\r\nHost: gate\r\nConnection: keep-alive\r\n\r\n", 200},
		"Upgrade":          {"GET /metrics HTTP/1.1\r\nHost: gate\r\nUpgrade: h2c\r\n\r\n", 200},
		"Expect":           {"GET /metrics HTTP/1.1\r\nHost: gate\r\nExpect: 100-continue\r\n\r\n", 200},
		"an unknown field": {"GET /metrics HTTP/1.1\r\nHost: gate\r\nX-Forwarded-For: 1\r\n\r\n", 200},
		"a field twice":    {"GET /metrics HTTP/1.1\r\nHost: gate\r\nAccept: a/b\r\nAccept: c/d\r\n\r\n", 200},
		"two Authorizations": {
			"GET /metrics HTTP/1.1\r\nHost: gate\r\nAuthorization: a\r\nauthorization: b\r\n\r\n", 200,
		},
		"another Host":        {"GET /metrics HTTP/1.1\r\nHost: other\r\n\r\n", 200},
		"two Hosts":           {"GET /metrics HTTP/1.1\r\nHost: gate\r\nHost: gate\r\n\r\n", 400},
		"no Host":             {"GET /metrics HTTP/1.1\r\nAccept: a/b\r\n\r\n", 400},
		"a folded line":       {"GET /metrics HTTP/1.1\r\nHost: gate\r\nAccept: a/b,\r\n c/d\r\n\r\n", 200},
		"a tab":               {"GET /metrics HTTP/1.1\r\nHost: gate\r\nAccept:\ta/b\r\n\r\n", 200},
		"a space before":      {"GET /metrics HTTP/1.1\r\nHost: gate\r\nAccept : a/b\r\n\r\n", 400},
		"bare newlines":       {"GET /metrics HTTP/1.1\nHost: gate\n\n", 200},
		"a NUL":               {"GET /metrics HTTP/1.1\r\nHost: gate\r\nAccept: a\x00b\r\n\r\n", 400},
		"not ASCII":           {"GET /metrics HTTP/1.1\r\nHost: gate\r\nAccept: ä\r\n\r\n", 200},
		"an empty line first": {"\r\nGET /metrics HTTP/1.1\r\nHost: gate\r\n\r\n", 400},
		"HTTP/1.0":            {"GET /metrics HTTP/1.0\r\nHost: gate\r\n\r\n", 200},
		"another method":      {"BREW /metrics HTTP/1.1\r\nHost: gate\r\n\r\n", 200},
		"garbage":             {"\x16\x03\x01\r\n\r\n", 400},
		"a long head": {
			"GET /metrics HTTP/1.1\r\nHost: gate\r\nAccept: " + strings.Repeat("a", headBytes) + "\r\n\r\n", 200,
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := start(t, true, text)
			c2 := g.dial(t).takenOver()
			c2.send(c.request)
			method, _, _ := strings.Cut(c.request, " ")
			res, err := http.ReadResponse(c2.in, &http.Request{Method: method})
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			if res.StatusCode != c.status || c.status == 200 && res.Header.Get("By") != "net/http" {
				t.Errorf("%s by %q", res.Status, res.Header.Get("By"))
			}
			if res.Close {
				return
			}
			if by := c2.by(scrapeHead); by != "net/http" {
				t.Errorf("the next was answered by %s", by)
			}
			if by := c2.by(scrapeHead); by != "net/http" {
				t.Errorf("taken over again by %s", by)
			}
		})
	}
}

// A head that comes in pieces is net/http's, whose deadlines are made for that.
func TestHalfAHeadGoesBack(t *testing.T) {
	for cut := range scrapeHead {
		if cut == 0 || cut%7 != 0 && cut < len(scrapeHead)-5 {
			continue
		}
		g := start(t, false, text)
		c := g.dial(t).takenOver()
		c.send(scrapeHead[:cut])
		testwait.Eventually(t, "half a head is kept", func() bool { return g.count() == 0 })
		if by := c.by(scrapeHead[cut:]); by != "net/http" {
			t.Errorf("cut at %d: answered by %s", cut, by)
		}
	}
}

// Requests that come together are answered in their order, each once.
func TestPipelined(t *testing.T) {
	g := start(t, true, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Seen", r.Header.Get("Accept")+r.URL.Path)
		text(w, r)
	})
	c := g.dial(t).takenOver()
	other := strings.Replace(scrapeHead, "text/plain", "a/b", 1)
	c.send(scrapeHead + other + scrapeHead + "GET /x HTTP/1.1\r\nHost: gate\r\n\r\n" + scrapeHead)
	wants := []string{"text/plain/metrics", "a/b/metrics", "text/plain/metrics", "/x", "text/plain/metrics"}
	for i, want := range wants {
		got := c.receive()
		by := "fastpath"
		if i >= 3 {
			by = "net/http"
		}
		if got.Header.Get("Seen") != want || got.Header.Get("By") != by {
			t.Errorf("answer %d: %q by %s, want %q by %s", i, got.Header.Get("Seen"), got.Header.Get("By"), want, by)
		}
	}
}

// What has been read by net/http when the connection is taken over is not lost.
func TestPipelinedWhenTakenOver(t *testing.T) {
	g := start(t, false, text)
	c := g.dial(t)
	c.send(scrapeHead + scrapeHead + scrapeHead + scrapeHead[:9])
	for range 3 {
		c.receive()
	}
	if by := c.by(scrapeHead[9:]); by != "net/http" {
		t.Errorf("answered by %s", by)
	}
}

func TestHandedBackConnectionKeepsTLS(t *testing.T) {
	serials := make(chan string, 4)
	g := start(t, true, func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || !r.TLS.HandshakeComplete {
			t.Error("no TLS state")
		} else {
			serials <- string(r.TLS.TLSUnique) + r.TLS.ServerName
		}
		text(w, r)
	})
	c := g.dial(t).takenOver()
	c.ask("HEAD /metrics HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n")
	first := <-serials
	if second, third := <-serials, <-serials; first != second || second != third ||
		!strings.HasSuffix(first, "example.com") {
		t.Errorf("%q, %q, %q", first, second, third)
	}
}

// After Shutdown nothing comes to net/http any more, and nothing hangs.
func TestHandBackDuringShutdown(t *testing.T) {
	g := start(t, false, text)
	l := g.Listener()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(); err == nil || l.Addr().String() == "" {
		t.Error("accepted after the end")
	}
	c := g.dial(t)
	for range 3 {
		if by := c.by(scrapeHead); by != "net/http" {
			t.Errorf("taken over after the end by %s", by)
		}
	}
}

func TestGoneClientEndsItsRequest(t *testing.T) {
	waiting, left := make(chan struct{}), make(chan error, 1)
	var armed atomic.Bool
	g := start(t, true, func(w http.ResponseWriter, r *http.Request) {
		if !armed.Load() {
			text(w, r)
			return
		}
		close(waiting)
		select {
		case <-r.Context().Done():
			left <- context.Cause(r.Context())
		case <-time.After(5 * time.Second):
			left <- nil
		}
	})
	c := g.dial(t).takenOver()
	armed.Store(true)
	c.send(scrapeHead)
	<-waiting
	_ = c.Close()
	if err := <-left; err == nil {
		t.Error("not noticed for 5 s")
	}
	testwait.Eventually(t, "the connection is kept", func() bool { return g.count() == 0 })
}

// Who stays gets the answer, and the connection goes on; a byte of the next request
// that comes meanwhile is its first.
func TestSlowAnswers(t *testing.T) {
	for _, early := range []int{0, 1, 3, len(scrapeHead)} {
		var slow atomic.Bool
		answer := make(chan struct{})
		g := start(t, true, func(w http.ResponseWriter, r *http.Request) {
			if slow.Load() {
				<-answer
			}
			if r.Context().Err() != nil {
				t.Error("taken for gone")
			}
			text(w, r)
		})
		c := g.dial(t).takenOver()
		slow.Store(true)
		c.send(scrapeHead)
		ended := g.watching(t)
		c.send(scrapeHead[:early])
		if early > 0 {
			<-ended // by the first byte
		}
		close(answer)
		if got := c.receive(); got.body != "a 1\n" || got.Header.Get("By") != "fastpath" {
			t.Errorf("%q by %s", got.body, got.Header.Get("By"))
		}
		slow.Store(false)
		if got := c.ask(scrapeHead[early:]); got.body != "a 1\n" {
			t.Errorf("with %d bytes early: %q", early, got.body)
		}
	}
}
