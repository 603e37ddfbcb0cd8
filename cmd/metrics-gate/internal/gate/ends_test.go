package gate

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/proxy/upstream"
	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// endsAt returns the TLS of a gate whose certificate ends at end.
func endsAt(t *testing.T, end time.Time) *tlsconf.Reloader {
	t.Helper()
	ca := testca.Must(testca.NewCA(testca.Options{CommonName: "ca"}))
	files := tlsconf.Files{Cert: filepath.Join(t.TempDir(), "cert"), Key: filepath.Join(t.TempDir(), "key"),
		ClientAuth: tlsconf.None}
	issued := testca.Must(ca.Issue(testca.Options{DNSNames: []string{"gate.example"}, NotAfter: end}))
	if err := issued.WriteFiles(files.Cert, files.Key); err != nil {
		t.Fatal(err)
	}
	reloader, err := tlsconf.New(files, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return reloader
}

// A gate whose certificate is at its end looks each minute, however quiet it is.
func TestGateLooksMoreOftenAtAnEnd(t *testing.T) {
	end := time.Now().Add(time.Hour)
	g := &Gate{TLS: endsAt(t, end)}
	for left, want := range map[time.Duration]bool{50 * time.Minute: false, 2*longRest + time.Minute: false,
		longRest: true, time.Second: true, -time.Minute: true, -2 * longRest: false} {
		if got := g.endsSoon(end.Add(-left)); got != want {
			t.Errorf("%s before the end: %v", left, got)
		}
	}
	if new(Gate).endsSoon(end) {
		t.Error("a gate without certificates has an end")
	}
}

// A quiet gate rests for long, and still looks within a minute after the end of its certificate.
func TestQuietGateLooksAtAnEnd(t *testing.T) {
	testMemory(t)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		end := start.Add(time.Hour + 20*time.Second) // just after a look
		g := &Gate{TLS: endsAt(t, end), Upstream: upstream.New(upstream.Options{}),
			reloader: newReloader(slog.New(slog.DiscardHandler), prometheus.NewRegistry())}
		ctx, stop := context.WithDeadline(t.Context(), end.Add(restInterval))
		defer stop()
		early, late := 0, 0
		g.Run(ctx, nil, func(now time.Time) {
			switch {
			case now.After(end):
				late++
			case now.Before(start.Add(30 * time.Minute)):
				early++
			}
		})
		if late == 0 || early > 12 {
			t.Errorf("%d looks in the first half hour, %d in the minute after the end", early, late)
		}
	})
}
