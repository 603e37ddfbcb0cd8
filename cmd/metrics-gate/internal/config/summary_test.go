package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/configtest"
)

func TestEffectiveConfiguration(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "name")
	if err := os.WriteFile(name, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		environ    []string
		variable   string
		value      string
		isDefault  bool
		isInEffect bool
	}{
		{nil, "RATE_LIMIT", "10", true, true},
		{[]string{"RATE_LIMIT=2.5"}, "RATE_LIMIT", "2.5", false, true},
		{[]string{"IDLE_TIMEOUT=2m"}, "IDLE_TIMEOUT", "2m0s", true, true},
		{[]string{"IDLE_TIMEOUT=3m"}, "IDLE_TIMEOUT", "3m0s", false, true},
		{[]string{"PPROF_ALLOW="}, "PPROF_ALLOW", "none", true, true},
		{nil, "TLS_CLIENT_CRL_FILE", "", false, false},
		{nil, "OIDC_USERNAME_CLAIM", "", false, false},
		{[]string{"OIDC_ISSUER_URL=https://issuer.example", "OIDC_AUDIENCE=gate"}, "OIDC_USERNAME_CLAIM", "sub", true,
			true},
		{[]string{"LABELS=a=b,c=d"}, "LABELS", "a=b,c=d", false, true},
		{[]string{"RUNNER_NAME=one@two"}, "RUNNER_NAME", "one@two", false, true},
		{[]string{"PPROF_ALLOW=email:me@example.com"}, "PPROF_ALLOW", "email:me@example.com", false, true},
		{[]string{"KUBERNETES_API_URL=https://h?x=a@pa55"}, "KUBERNETES_API_URL", "https://h?…", false, true},
		{[]string{"UPSTREAM_URL=http://127.0.0.1:9999"}, "UPSTREAM_URL", "http://127.0.0.1:9999", false, true},
	} {
		environ := make([]string, len(test.environ))
		for i, entry := range test.environ {
			environ[i] = config.Prefix + entry
		}
		c := configtest.Load(t, environ...)
		i := slices.IndexFunc(c.Variables(),
			func(v config.Variable) bool { return v.Name == config.Prefix+test.variable })
		s, inEffect := c.Effective(c.Variables()[i])
		if inEffect != test.isInEffect || (inEffect && (s.Value != test.value || s.Default != test.isDefault)) {
			t.Errorf("%v %s: %+v %v", test.environ, test.variable, s, inEffect)
		}
	}
	c := configtest.Load(t)
	c.Label.RunnerName = ""
	runnerName := c.Variables()[slices.IndexFunc(c.Variables(),
		func(v config.Variable) bool { return v.Name == config.Prefix+"RUNNER_NAME" })]
	if s, inEffect := c.Effective(runnerName); !inEffect || s.Value != host || !s.Default {
		t.Errorf("without a name: %+v", s)
	}
	c.Label.RunnerNameFile = name
	if s, inEffect := c.Effective(runnerName); inEffect {
		t.Errorf("with a file: %+v", s)
	}
}

func TestMethods(t *testing.T) {
	c := configtest.Load(t, config.Prefix+"OIDC_ISSUER_URL=https://issuer.example", config.Prefix+"OIDC_AUDIENCE=gate",
		config.Prefix+"KUBERNETES_AUTH=tokenreview", config.Prefix+"KUBERNETES_API_URL=https://api.example",
		config.Prefix+"OIDC_USERNAME_PREFIX=-", config.Prefix+"OIDC_GROUPS_PREFIX=-")
	if got := strings.Join(c.MethodNames(), " "); got != "certificate token oidc kubernetes" {
		t.Error(got)
	}
	c.TLS.InsecureHTTP = true
	c.Allow.TokensFile = ""
	if got := strings.Join(c.MethodNames(), " "); got != "oidc kubernetes" {
		t.Error(got)
	}
}

func TestRights(t *testing.T) {
	c := configtest.Load(t, config.Prefix+"PPROF_ALLOW=")
	rights := c.Rights()
	if len(rights) != 2 || len(rights[0].Allow) != 2 || len(rights[1].Allow) != 0 {
		t.Errorf("%+v", rights)
	}
}
