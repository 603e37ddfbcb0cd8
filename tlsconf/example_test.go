package tlsconf_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// A server takes its configuration from a Reloader and asks it on every request.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ca := testca.Must(testca.NewCA(testca.Options{CommonName: "clients"}))
	files := tlsconf.Files{
		Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key"),
		ClientCA: filepath.Join(dir, "ca.crt"), ClientAuth: tlsconf.Required,
	}
	pair := testca.Must(ca.Issue(testca.Options{DNSNames: []string{"gate.example"}}))
	err = errors.Join(pair.WriteFiles(files.Cert, files.Key), os.WriteFile(files.ClientCA, ca.CertPEM(), 0o644))
	if err != nil {
		panic(err)
	}

	reloader, err := tlsconf.New(files, slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	server := &http.Server{
		TLSConfig: reloader.Config(),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := reloader.Verify(reloader.VerifiedChains(r.TLS)); err != nil {
				w.WriteHeader(http.StatusUnauthorized)
			}
		}),
	}
	changed, err := reloader.Reload() // every few seconds, and at SIGHUP
	fmt.Println(changed, err, server.TLSConfig.SessionTicketsDisabled)
	// Output: false <nil> true
}

// Each bad file is an error with its role, for the caller to name the setting.
func ExampleFileErrors() {
	_, err := tlsconf.New(tlsconf.Files{Cert: "missing.crt", Key: "missing.key"}, slog.New(slog.DiscardHandler))
	for _, failure := range tlsconf.FileErrors(err) {
		fmt.Println(failure.Role, failure.Path, errors.Is(failure, os.ErrNotExist))
	}
	// Output:
	// server missing.crt true
	// key missing.key true
}
