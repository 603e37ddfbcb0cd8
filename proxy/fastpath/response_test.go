package fastpath

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

func TestPanicsEndTheConnection(t *testing.T) {
	for name, p := range map[string]any{"abort": http.ErrAbortHandler, "defect": errors.New("defect")} {
		t.Run(name, func(t *testing.T) {
			var armed atomic.Bool
			g := start(t, true, func(w http.ResponseWriter, r *http.Request) {
				if armed.Load() {
					w.Header().Set("Content-Type", "text/plain")
					_, _ = io.WriteString(w, "half")
					panic(p)
				}
				text(w, r)
			})
			c := g.dial(t).takenOver()
			armed.Store(true)
			if got := c.ask(scrapeHead); got.err == nil || got.body != "half" {
				t.Errorf("complete: %q", got.body)
			}
			if logged := strings.Contains(g.log.String(), "defect"); logged != (name == "defect") {
				t.Errorf("log %q", g.log.String())
			}
			armed.Store(false)
			g.dial(t).takenOver()
		})
	}
}

// A body that does not fit its length must not look complete, nor spill into the next answer.
func TestWrongLength(t *testing.T) {
	for name, body := range map[string]string{"short": "abc", "long": "abcdef"} {
		t.Run(name, func(t *testing.T) {
			var armed atomic.Bool
			g := start(t, false, func(w http.ResponseWriter, r *http.Request) {
				if !armed.Load() {
					text(w, r)
					return
				}
				w.Header().Set("Content-Length", "4")
				if _, err := io.WriteString(w, body); (err != nil) != (name == "long") {
					t.Error(err)
				}
			})
			c := g.dial(t).takenOver()
			armed.Store(true)
			if got := c.ask(scrapeHead); got.err == nil {
				t.Errorf("complete: %q", got.body)
			}
		})
	}
}

// A header that would break a line is left out, whichever way.
func TestHeadersCannotBreakOut(t *testing.T) {
	g := start(t, false, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["A"] = []string{"x\r\nB: y", "fine"}
		w.Header()["C\r\nD"] = []string{"z"}
		text(w, r)
	})
	c := g.dial(t)
	c.ask(scrapeHead)
	for range 2 {
		if got := c.ask(scrapeHead); got.Header.Get("By") != "fastpath" || len(got.Header["A"]) != 1 ||
			got.Header.Get("A") != "fine" ||
			len(got.Header) != 5 {
			t.Errorf("header %q", got.Header)
		}
	}
}
