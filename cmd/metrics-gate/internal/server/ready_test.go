package server

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// Where /readyz is not 200 its first line is the reason, and its second what to do.
func TestReadyzSaysWhatToDo(t *testing.T) {
	ca := testca.Must(testca.NewCA(testca.Options{CommonName: "ca"}))
	expired := testca.Options{DNSNames: []string{"gate.example"}, NotBefore: time.Now().Add(-48 * time.Hour),
		NotAfter: time.Now().Add(-time.Hour)}
	files := tlsconf.Files{Cert: filepath.Join(t.TempDir(), "cert"), Key: filepath.Join(t.TempDir(), "key"),
		ClientAuth: tlsconf.None}
	if err := testca.Must(ca.Issue(expired)).WriteFiles(files.Cert, files.Key); err != nil {
		t.Fatal(err)
	}
	reloader, err := tlsconf.New(files, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for reason, test := range map[string]struct {
		serving bool
		tls     *tlsconf.Reloader
		advice  string
	}{
		"the public listener is not up\n": {false, nil, "ask again in a moment\n"},
		"certificate is not valid now: ":  {true, reloader, "\nrenew the file of " + config.Prefix + "TLS_CERT_FILE, "},
		"ok\n":                            {true, nil, ""},
	} {
		s := &state{tls: test.tls}
		s.serving.Store(test.serving)
		w := httptest.NewRecorder()
		s.answerReady(w, nil)
		body := w.Body.String()
		code, lines := http.StatusOK, 1
		if test.advice != "" {
			code, lines = http.StatusServiceUnavailable, 2
		}
		if !strings.HasPrefix(body, reason) || !strings.Contains(body, test.advice) || w.Code != code ||
			strings.Count(body, "\n") != lines {
			t.Errorf("%s: %d %q", reason, w.Code, body)
		}
	}
}
