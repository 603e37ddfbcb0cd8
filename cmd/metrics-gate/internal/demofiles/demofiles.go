// Package demofiles makes the files of the demo: a throwaway CA, two certificates and a
// token. The demo serves with them, and tests do. It knows neither server nor configuration.
package demofiles

import (
	"os"
	"path/filepath"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// Environ configures the gate of the demo.
func Environ(dir, runner string) []string {
	file := func(name string) string { return filepath.Join(dir, name) }
	return []string{
		"METRICS_GATE_UPSTREAM_URL=http://" + runner,
		"METRICS_GATE_RUNNER_NAME=demo-runner",
		"METRICS_GATE_TLS_CERT_FILE=" + file("server.pem"),
		"METRICS_GATE_TLS_KEY_FILE=" + file("server-key.pem"),
		"METRICS_GATE_TLS_CLIENT_CA_FILE=" + file("ca.pem"),
		"METRICS_GATE_TOKENS_FILE=" + file("tokens"),
		"METRICS_GATE_METRICS_ALLOW=dns:prometheus.demo,token:prometheus",
		"METRICS_GATE_PPROF_ALLOW=dns:prometheus.demo",
		"METRICS_GATE_LOG_FORMAT=text",
	}
}

// Write makes the CA, two certificates and a token in dir.
func Write(dir string) error {
	month := time.Now().Add(30 * 24 * time.Hour)
	ca, err := testca.NewCA(testca.Options{CommonName: "metrics-gate demo", NotAfter: month})
	if err != nil {
		return err
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(file("ca.pem"), ca.CertPEM(), 0o644); err != nil {
		return err
	}
	for name, options := range map[string]testca.Options{
		"server": {DNSNames: []string{"localhost"}, IPs: []string{"127.0.0.1", "::1"}, NotAfter: month},
		"client": {DNSNames: []string{"prometheus.demo"}, NotAfter: month},
	} {
		pair, err := ca.Issue(options)
		if err != nil {
			return err
		}
		if err := pair.WriteFiles(file(name+".pem"), file(name+"-key.pem")); err != nil {
			return err
		}
	}
	secret, line, err := auth.NewToken("prometheus")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file("token"), []byte(secret), 0o600); err != nil {
		return err
	}
	return os.WriteFile(file("tokens"), []byte(line+"\n"), 0o600)
}
