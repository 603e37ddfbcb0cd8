package scrape

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
)

func TestTimeLeft(t *testing.T) {
	const most = 10 * time.Second
	for value, want := range map[string]time.Duration{
		"10":    9500 * time.Millisecond,
		"15":    most,
		"1":     900 * time.Millisecond,
		"0.2":   150 * time.Millisecond,
		"0.08":  40 * time.Millisecond,
		"2.5e0": 2250 * time.Millisecond,
		"1e300": most,
		"0":     most,
		"-1":    most,
		"NaN":   most,
		"Inf":   most,
		"-Inf":  most,
		"x":     most,
		"":      most,
		"10s":   most,
	} {
		if got := timeout([]string{value}, most); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	if timeout(nil, most) != most || timeout([]string{"1", "1"}, most) != most {
		t.Error("none or two values count")
	}
}

func TestWriteLimit(t *testing.T) {
	r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain(proxytest.TextType, proxytest.SmallBody)))
	g := newGate(t, r.Addr())
	var limits []time.Time
	begin := time.Unix(1000, 0)
	g.Config.Handler = http.HandlerFunc(
		func(_ http.ResponseWriter, r *http.Request) { limits = append(limits, writeDeadline(r, begin)) },
	)
	g.fetch(t.Context())
	g.Config.WriteTimeout = time.Minute
	g.fetch(t.Context())
	if len(limits) != 2 || !limits[0].IsZero() || limits[1] != begin.Add(time.Minute) {
		t.Errorf("limits %v", limits)
	}
}

func TestAcceptsRemembers(t *testing.T) {
	var a acceptCache
	for range 2 {
		if got := a.of([]string{"text/plain;version=0.0.4;q=0.3"}); got != "text/plain;version=0.0.4;q=0.3" {
			t.Errorf("%q", got)
		}
	}
	if got := a.of(nil); got != "text/plain;version=0.0.4" || len(a.filtered) != 1 {
		t.Errorf("none: %q, %d known", got, len(a.filtered))
	}
	a.of([]string{strings.Repeat("x", maxAcceptBytes+1)})
	for i := range 3 * maxAccepts {
		a.of([]string{strings.Repeat("x", i)})
	}
	if len(a.filtered) > maxAccepts {
		t.Errorf("%d known", len(a.filtered))
	}
	header := []string{"text/plain"}
	if n := testing.AllocsPerRun(100, func() { a.of(header) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
