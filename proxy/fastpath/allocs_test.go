//go:build !race

package fastpath

import (
	"net/http"
	"testing"
)

// The race detector allocates too.
func TestAllocations(t *testing.T) {
	g := start(t, false, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Length"] = fixedLength
		_, _ = w.Write(fixedBody)
	})
	c := g.dial(t).takenOver()
	head, buf := []byte(scrapeHead), make([]byte, 4096)
	scrape := func() {
		_, _ = c.Write(head)
		if n, err := c.in.Read(buf); err != nil || n == 0 {
			t.Fatal(n, err)
		}
	}
	// The handler's By is two, of server and client together.
	if n := testing.AllocsPerRun(200, scrape); n > 2 {
		t.Errorf("%v allocations for a request", n)
	}
}

var (
	fixedLength = []string{"4"}
	fixedBody   = []byte("a 1\n")
)
