package gate_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gate"
)

// Bad variables and bad files are reported together, each once.
func TestBadVariablesDoNotHideBadFiles(t *testing.T) {
	dir := t.TempDir()
	if err := demofiles.Write(dir); err != nil {
		t.Fatal(err)
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	for name, test := range map[string]struct {
		set  []string
		want []string // the variables that are blamed, in any order
	}{
		"a variable alone": {[]string{"RATE_LIMIT=0"}, []string{"RATE_LIMIT"}},
		"a file too":       {[]string{"RATE_LIMIT=0", "TLS_CERT_FILE=/none"}, []string{"RATE_LIMIT", "TLS_CERT_FILE"}},
		"all limits, one file": {[]string{"RATE_LIMIT=0", "FAILURE_RATE_LIMIT=0", "MAX_IN_FLIGHT=0",
			"TOKENS_FILE=/none"},
			[]string{"RATE_LIMIT", "FAILURE_RATE_LIMIT", "MAX_IN_FLIGHT", "TOKENS_FILE"}},
		"swapped files, no allow list": {[]string{"METRICS_ALLOW=", "TLS_CERT_FILE=" + file("server-key.pem"),
			"TLS_KEY_FILE=" + file("server.pem")}, []string{"METRICS_ALLOW", "TLS_CERT_FILE"}},
		"no certificate": {[]string{"TLS_CERT_FILE=", "TOKENS_FILE=/none"}, []string{"TLS_CERT_FILE", "TOKENS_FILE"}},
		"typing mistake in the certificate": {[]string{"TLS_CERT_FILE=", "TLS_CERT_FILES=" + file("server.pem")},
			[]string{"TLS_CERT_FILES"}},
		"issuer without audience, name of the runner": {[]string{"OIDC_ISSUER_URL=https://id.example",
			"RUNNER_NAME=", "RUNNER_NAME_FILE=/none"}, []string{"OIDC_AUDIENCE", "RUNNER_NAME", "RUNNER_NAME_FILE"}},
		"typing mistake in the audience, CA file": {[]string{"OIDC_ISSUER_URL=https://id.example",
			"OIDC_AUDIENCES=g", "OIDC_CA_FILE=/none"}, []string{"OIDC_AUDIENCES", "OIDC_CA_FILE"}},
		"no API server": {[]string{"KUBERNETES_AUTH=tokenreview", "KUBERNETES_CA_FILE=/none"},
			[]string{"KUBERNETES_API_URL"}},
	} {
		environ := demofiles.Environ(dir, "127.0.0.1:9252")
		for _, entry := range test.set {
			environ = append(environ, config.Prefix+entry)
		}
		c, err := config.Load(environ)
		if err == nil {
			t.Errorf("%s: loaded", name)
			continue
		}
		var got []string
		for _, r := range cli.ErrorReports(gate.WithFiles(c, err)) {
			got = append(got, strings.TrimPrefix(r.Thing, config.Prefix))
		}
		slices.Sort(got)
		if slices.Sort(test.want); !slices.Equal(got, test.want) {
			t.Errorf("%s: blamed %q, want %q", name, got, test.want)
		}
	}
}
