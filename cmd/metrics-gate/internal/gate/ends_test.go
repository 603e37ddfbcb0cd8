package gate

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// A gate whose certificate is at its end looks each minute, however quiet it is.
func TestGateLooksMoreOftenAtAnEnd(t *testing.T) {
	ca := testca.Must(testca.NewCA(testca.Options{CommonName: "ca"}))
	end := time.Now().Add(time.Hour)
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
	g := &Gate{TLS: reloader}
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
