package gate

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
	"github.com/metrics-gate/metrics-gate/tlsconf"
)

// Whatever file a credential's judge cannot use, the variable is named.
func TestFilesOfJudgesAreNamed(t *testing.T) {
	dir := t.TempDir()
	if err := demofiles.Write(dir); err != nil {
		t.Fatal(err)
	}
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	issuer := []string{config.Prefix + "OIDC_ISSUER_URL=https://id.example", config.Prefix + "OIDC_AUDIENCE=g"}
	kubernetes := []string{config.Prefix + "KUBERNETES_AUTH=tokenreview",
		config.Prefix + "KUBERNETES_API_URL=https://api.example"}
	for variable, environ := range map[string][]string{
		"TLS_CERT_FILE":       {config.Prefix + "TLS_CERT_FILE=" + garbage},
		"TLS_KEY_FILE":        {config.Prefix + "TLS_KEY_FILE=" + garbage},
		"TLS_CLIENT_CA_FILE":  {config.Prefix + "TLS_CLIENT_CA_FILE=" + garbage},
		"TLS_CLIENT_CRL_FILE": {config.Prefix + "TLS_CLIENT_CRL_FILE=" + garbage},
		"TOKENS_FILE":         {config.Prefix + "TOKENS_FILE=" + garbage},
		"RUNNER_NAME_FILE":    {config.Prefix + "RUNNER_NAME_FILE=" + filepath.Join(dir, "none")},
		"OIDC_CA_FILE":        append(issuer, config.Prefix+"OIDC_CA_FILE="+garbage),
		"OIDC_JWKS_FILE":      append(issuer, config.Prefix+"OIDC_JWKS_FILE="+garbage),
		"OIDC_SIGNING_ALGS":   append(issuer, config.Prefix+"OIDC_SIGNING_ALGS=HS256"),
		"KUBERNETES_CA_FILE":  append(kubernetes, config.Prefix+"KUBERNETES_CA_FILE="+garbage),
		"KUBERNETES_TOKEN_FILE": append(kubernetes, config.Prefix+"KUBERNETES_CA_FILE="+filepath.Join(dir, "ca.pem"),
			config.Prefix+"KUBERNETES_TOKEN_FILE="+filepath.Join(dir, "none")),
	} {
		environ = append(demofiles.Environ(dir, "127.0.0.1:9252"), environ...)
		c, err := config.Load(environ)
		if err == nil {
			_, err = New(c, slog.New(slog.DiscardHandler), "test", prometheus.NewRegistry())
		}
		if err == nil || !strings.Contains(err.Error(), config.Prefix+variable+" ") &&
			!strings.Contains(err.Error(), config.Prefix+variable+":") {
			t.Errorf("%s is not named: %v", variable, err)
			continue
		}
		if code := cli.Report(new(strings.Builder), err); code != 2 {
			t.Errorf("%s: exit code %d", variable, code)
		}
	}
}

// The reason of a refused certificate is that of package auth, and stands once in the text.
func TestCertificateErrorSaysItsReasonOnce(t *testing.T) {
	err := certificateError(fmt.Errorf("%w: serial 1", tlsconf.ErrRevoked))
	if !errors.Is(err, auth.ErrRevoked) || !errors.Is(err, tlsconf.ErrRevoked) ||
		err.Error() != "certificate is revoked: serial 1" {
		t.Error(err)
	}
}
