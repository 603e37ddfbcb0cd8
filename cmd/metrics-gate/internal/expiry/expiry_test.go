package expiry

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
	"github.com/metrics-gate/metrics-gate/tlsconf"
)

func TestExpiryFindings(t *testing.T) {
	now := time.Now()
	for _, test := range []struct {
		role  string
		left  time.Duration
		found string
	}{
		{"server", 15 * 24 * time.Hour, ""},
		{"server", 13 * 24 * time.Hour, "expires on"},
		{"server", -time.Minute, "expired on"},
		{"crl", 13 * 24 * time.Hour, ""},
		{"crl", time.Hour, "expires on"},
		{"crl", -25 * time.Hour, "expired on"},
	} {
		e := Entry{Role: test.role, Subject: "CN=x", NotAfter: now.Add(test.left), Days: wholeDays(test.left)}
		found := Findings([]Entry{e})
		if (test.found == "") != (len(found) == 0) || (len(found) > 0 && !strings.Contains(found[0].What, test.found)) {
			t.Errorf("%s %s: %+v, want %q", test.role, test.left, found, test.found)
		}
	}
}

func TestWholeDays(t *testing.T) {
	for left, want := range map[time.Duration]int{
		-25 * time.Hour: -2, -time.Second: -1, 0: 0, 23 * time.Hour: 0, 24 * time.Hour: 1, 59 * time.Hour: 2,
	} {
		if got := wholeDays(left); got != want {
			t.Errorf("%s: %d, want %d", left, got, want)
		}
	}
}

// What ends soon is seen in real certificates.
func TestExpiryOfRealCertificates(t *testing.T) {
	dir := t.TempDir()
	if err := demofiles.Write(dir); err != nil {
		t.Fatal(err)
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	files := tlsconf.Files{Cert: file("server.pem"), Key: file("server-key.pem"), ClientCA: file("ca.pem"),
		ClientAuth: tlsconf.Required}
	reloader, err := tlsconf.New(files, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	w := NewWatch(slog.New(slog.NewTextHandler(&log, nil)),
		func(now time.Time) []Entry { return List(reloader, now.Add(25*24*time.Hour)) })
	w.Look(time.Now())
	if !strings.Contains(log.String(), "expires soon") || !strings.Contains(log.String(), "role=client_ca") {
		t.Error(log.String())
	}
	if got := List(nil, time.Now()); got != nil {
		t.Errorf("plain HTTP: %+v", got)
	}
}
