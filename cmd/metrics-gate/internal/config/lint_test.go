package config_test

import (
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/configtest"
)

func TestPolicyFindings(t *testing.T) {
	oidc := []string{config.Prefix + "OIDC_ISSUER_URL=https://issuer.example", config.Prefix + "OIDC_AUDIENCE=gate"}
	for _, test := range []struct {
		name    string
		environ []string
		want    []string // parts of the findings, in order
	}{
		{"a token that nobody names", nil, []string{"token scraper may do nothing"}},
		{"all named", []string{"METRICS_ALLOW=dns:a.example,token:prometheus,token:scraper"}, nil},
		{"any", []string{"METRICS_ALLOW=*"}, nil},
		{"no certificate named", []string{"METRICS_ALLOW=token:prometheus,token:scraper", "PPROF_ALLOW="},
			[]string{"client certificate: in use, and no pattern"}},
		{"a certificate for profiles alone",
			[]string{"METRICS_ALLOW=token:prometheus,token:scraper", "PPROF_ALLOW=email:a@b.example"}, nil},
		{"unknown token", []string{"METRICS_ALLOW=dns:a.example,token:prometheus,token:scraper,token:grafana"},
			[]string{"token:grafana can never match: no such token"}},
		{"users without an issuer", []string{"METRICS_ALLOW=token:prometheus,token:scraper,user:a,group:b"},
			[]string{"user:a can never match", "group:b can never match"}},
		{"pprof list too", []string{"METRICS_ALLOW=dns:a.example,token:prometheus,token:scraper",
			"PPROF_ALLOW=user:a"}, []string{"PPROF_ALLOW user:a can never match"}},
		{"issuer without users", append(oidc, "METRICS_ALLOW=dns:a.example,token:prometheus,token:scraper"),
			[]string{"OpenID Connect token: in use, and no pattern"}},
		{"prefix forgotten", append(oidc, "OIDC_USERNAME_PREFIX=gitlab:",
			"METRICS_ALLOW=dns:a.example,token:prometheus,token:scraper,user:root"),
			[]string{"every issuer puts a prefix"}},
		{"prefix written", append(oidc, "OIDC_USERNAME_PREFIX=gitlab:",
			"METRICS_ALLOW=dns:a.example,token:prometheus,token:scraper,user:gitlab:root"), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			environ := make([]string, len(test.environ))
			for i, entry := range test.environ {
				environ[i] = config.Prefix + strings.TrimPrefix(entry, config.Prefix)
			}
			found := configtest.Load(t, environ...).Lint()
			if len(found) != len(test.want) {
				t.Fatalf("%+v, want %q", found, test.want)
			}
			for i, f := range found {
				if f.Level != cli.LevelWarn || !strings.Contains(f.What, test.want[i]) || f.Do == "" {
					t.Errorf("%+v, want %q", f, test.want[i])
				}
			}
		})
	}
}

func TestPlainHTTPHasNoCertificates(t *testing.T) {
	c := configtest.Load(t, config.Prefix+"TLS_CERT_FILE=", config.Prefix+"TLS_KEY_FILE=",
		config.Prefix+"INSECURE_HTTP=true")
	if c.Uses(auth.MethodCertificate) {
		t.Error("client certificates over plain HTTP")
	}
	if why, do := c.NeverMatches("dns:a.example", nil); why == "" || do == "" {
		t.Errorf("dns: over plain HTTP: %q %q", why, do)
	}
}
