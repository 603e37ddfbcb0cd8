package config

import (
	"bytes"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

func TestLoadDefaults(t *testing.T) {
	c, err := Load(good())
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen.Address.HostPort() != ":9253" || c.Upstream.URL.String() != "http://localhost:9252" ||
		c.Label.Name != "runner_name" ||
		c.Limit.Burst != 20 || c.Process.AdminAddress.HostPort() != "127.0.0.1:9254" || c.Process.Linger != 0 {
		t.Errorf("defaults: %+v", c)
	}
}

// configCase is an environment that is refused.
type configCase struct {
	name    string
	environ []string
	want    []string // each must be in the report
}

// refuses loads the environments, and wants the report of each to have certain parts.
func refuses(t *testing.T, cases []configCase) {
	t.Helper()
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load(test.environ)
			if err == nil {
				t.Fatal("accepted")
			}
			var out bytes.Buffer
			if code := cli.Report(&out, err); code != 2 {
				t.Errorf("exit code %d, want 2", code)
			}
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("report lacks %q:\n%s", want, out.String())
				}
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	refuses(t, []configCase{
		{"nothing set", nil, []string{"environment: no METRICS_GATE_ variable is set", "set -a",
			"TLS_CERT_FILE: not set", "TLS_CLIENT_CA_FILE: not set, and no other way",
			"METRICS_ALLOW: not set", "METRICS_GATE_METRICS_ALLOW=dns:"}},
		{"unknown variable", good("METRICS_GATE_TLS_CERT_FILES=x"),
			[]string{"METRICS_GATE_TLS_CERT_FILES: unknown variable", "did you mean METRICS_GATE_TLS_CERT_FILE?"}},
		{"unknown, nothing near", good("METRICS_GATE_COLOUR=x"),
			[]string{"METRICS_GATE_COLOUR: unknown variable", "metrics-gate help"}},
		{"not a number", good("METRICS_GATE_RATE_BURST=many"),
			[]string{`METRICS_GATE_RATE_BURST "many": not a whole number`}},
		{"not a duration", good("METRICS_GATE_DRAIN_TIMEOUT=30"),
			[]string{`METRICS_GATE_DRAIN_TIMEOUT "30": not a duration`}},
		{"not a bool", good("METRICS_GATE_PPROF_CMDLINE=perhaps"), []string{`"perhaps": not true or false`}},
		{"zero limit", good("METRICS_GATE_RATE_LIMIT=0"), []string{"METRICS_GATE_RATE_LIMIT", "must be more than 0"}},
		{"negative duration", good("METRICS_GATE_LINGER=-1s"),
			[]string{"METRICS_GATE_LINGER", "out of range: must be 0 or more"}},
		{"NaN rate", good("METRICS_GATE_RATE_LIMIT=NaN"),
			[]string{"METRICS_GATE_RATE_LIMIT", "out of range: must be more than 0"}},
		{"zero duration", good("METRICS_GATE_UPSTREAM_TIMEOUT=0s"),
			[]string{"METRICS_GATE_UPSTREAM_TIMEOUT", "must be more than 0"}},
		{"choice", good("METRICS_GATE_LABEL_CONFLICT=drop"),
			[]string{`LABEL_CONFLICT "drop": not one of exported, keep, override`}},
		{"empty runner name", good("METRICS_GATE_RUNNER_NAME="),
			[]string{"METRICS_GATE_RUNNER_NAME: set but empty", "fieldRef"}},
		{"two runner names", good("METRICS_GATE_RUNNER_NAME=a", "METRICS_GATE_RUNNER_NAME_FILE=/b"),
			[]string{"RUNNER_NAME_FILE", "keep one"}},
		{"label name", good("METRICS_GATE_LABEL_NAME=a-b"), []string{`METRICS_GATE_LABEL_NAME "a-b": want letters`}},
		{"empty label name", good("METRICS_GATE_LABEL_NAME="),
			[]string{"METRICS_GATE_LABEL_NAME: set but empty", "unset it for runner_name"}},
		{"labels", good("METRICS_GATE_LABELS=team"), []string{"METRICS_GATE_LABELS", `label "team": not NAME=VALUE`}},
		{"remote upstream", good("METRICS_GATE_UPSTREAM_URL=http://runner.example:9252"),
			[]string{"METRICS_GATE_UPSTREAM_URL", "UPSTREAM_ALLOW_REMOTE"}},
		{"listen address", good("METRICS_GATE_LISTEN_ADDRESS=:nonsense"),
			[]string{"METRICS_GATE_LISTEN_ADDRESS", "nonsense"}},
		{"port of 6 digits", good("METRICS_GATE_LISTEN_ADDRESS=123456"),
			[]string{`METRICS_GATE_LISTEN_ADDRESS "123456": port "123456"`}},
		{"one address twice", good("METRICS_GATE_ADMIN_ADDRESS=localhost:9253"),
			[]string{"METRICS_GATE_ADMIN_ADDRESS", "the same address as METRICS_GATE_LISTEN_ADDRESS"}},
		{"its own upstream", good("METRICS_GATE_UPSTREAM_URL=localhost:9253"),
			[]string{"METRICS_GATE_UPSTREAM_URL", "the gate itself"}},
		{"its admin listener upstream", good("METRICS_GATE_UPSTREAM_URL=localhost:9254"),
			[]string{"METRICS_GATE_UPSTREAM_URL", "the gate itself"}},
		{"constant label twice", good("METRICS_GATE_LABELS=a=b,a=c"), []string{"METRICS_GATE_LABELS", "given twice"}},
		{"no API server", good("METRICS_GATE_KUBERNETES_AUTHZ=subjectaccessreview"),
			[]string{"METRICS_GATE_KUBERNETES_API_URL: not set, and this is no pod"}},
		{"password in a URL", good("METRICS_GATE_UPSTREAM_URL=ftp://user:secret@127.0.0.1"),
			[]string{`METRICS_GATE_UPSTREAM_URL "…@127.0.0.1"`}},
		{"query in a URL", good("METRICS_GATE_UPSTREAM_URL=http://127.0.0.1/metrics?token=secret"),
			[]string{`METRICS_GATE_UPSTREAM_URL "http://127.0.0.1/metrics?…": `}},
		{
			"names of two sources",
			good("METRICS_GATE_OIDC_ISSUER_URL=https://id.example", "METRICS_GATE_OIDC_AUDIENCE=g",
				"METRICS_GATE_KUBERNETES_AUTH=tokenreview", "METRICS_GATE_KUBERNETES_API_URL=https://api.example"),
			[]string{"METRICS_GATE_OIDC_USERNAME_PREFIX: not set", "METRICS_GATE_OIDC_GROUPS_PREFIX: not set"},
		},
		{"required claims", good("METRICS_GATE_OIDC_ISSUER_URL=https://id.example", "METRICS_GATE_OIDC_AUDIENCE=g",
			"METRICS_GATE_OIDC_REQUIRED_CLAIMS=a"), []string{"METRICS_GATE_OIDC_REQUIRED_CLAIMS", "NAME=VALUE"}},
		{"admin address", good("METRICS_GATE_ADMIN_ADDRESS=9254"),
			[]string{"METRICS_GATE_ADMIN_ADDRESS", "not host:port"}},
	})
}

func TestLoadRefusesWhatDoesNotFit(t *testing.T) {
	refuses(t, []configCase{
		{
			"insecure with a certificate",
			good("METRICS_GATE_INSECURE_HTTP=true"),
			[]string{"INSECURE_HTTP", "keep one"},
		},
		{"insecure, certificates only",
			[]string{"METRICS_GATE_INSECURE_HTTP=true", "METRICS_GATE_TLS_CLIENT_CA_FILE=/ca",
				"METRICS_GATE_METRICS_ALLOW=dns:a"}, []string{"INSECURE_HTTP", "no client certificate can be shown"}},
		{"key alone", []string{"METRICS_GATE_TLS_KEY_FILE=/k", "METRICS_GATE_INSECURE_HTTP=true",
			"METRICS_GATE_TOKENS_FILE=/t", "METRICS_GATE_METRICS_ALLOW=token:a"}, []string{"TLS_KEY_FILE", "set both"}},
		{"list without authority", []string{"METRICS_GATE_INSECURE_HTTP=true", "METRICS_GATE_TOKENS_FILE=/t",
			"METRICS_GATE_METRICS_ALLOW=token:a", "METRICS_GATE_TLS_CLIENT_CRL_FILE=/crl"},
			[]string{"TLS_CLIENT_CRL_FILE", "without METRICS_GATE_TLS_CLIENT_CA_FILE"}},
		{"pattern", good("METRICS_GATE_PPROF_ALLOW=prometheus"), []string{"METRICS_GATE_PPROF_ALLOW", "prometheus"}},
		{"issuer without audience", good("METRICS_GATE_OIDC_ISSUER_URL=https://id.example"),
			[]string{"METRICS_GATE_OIDC_AUDIENCE: not set"}},
		{"issuer over http", good("METRICS_GATE_OIDC_ISSUER_URL=http://id.example", "METRICS_GATE_OIDC_AUDIENCE=g"),
			[]string{"METRICS_GATE_OIDC_ISSUER_URL", "https"}},
		{"audience without issuer", good("METRICS_GATE_OIDC_AUDIENCE=g"),
			[]string{"METRICS_GATE_OIDC_ISSUER_URL: not set, but METRICS_GATE_OIDC_AUDIENCE is"}},
		{"skew", good("METRICS_GATE_OIDC_ISSUER_URL=https://id.example", "METRICS_GATE_OIDC_AUDIENCE=g",
			"METRICS_GATE_OIDC_CLOCK_SKEW=61s"), []string{"METRICS_GATE_OIDC_CLOCK_SKEW", "not between 0s and 1m0s"}},
		{"second issuer", good("METRICS_GATE_OIDC_2_ISSUER_URL=https://id.example"),
			[]string{"METRICS_GATE_OIDC_2_AUDIENCE: not set"}},
		{"same issuer twice", good("METRICS_GATE_OIDC_ISSUER_URL=https://id.example", "METRICS_GATE_OIDC_AUDIENCE=g",
			"METRICS_GATE_OIDC_1_ISSUER_URL=https://id.example", "METRICS_GATE_OIDC_1_AUDIENCE=g"),
			[]string{"METRICS_GATE_OIDC_1_ISSUER_URL", "same issuer"}},
		{"star with an issuer", append(good("METRICS_GATE_OIDC_ISSUER_URL=https://id.example",
			"METRICS_GATE_OIDC_AUDIENCE=g"), "METRICS_GATE_METRICS_ALLOW=*"),
			[]string{"METRICS_GATE_METRICS_ALLOW", "mint"}},
		{"star with tokenreview", good("METRICS_GATE_KUBERNETES_AUTH=tokenreview",
			"METRICS_GATE_KUBERNETES_API_URL=https://api.example", "METRICS_GATE_PPROF_ALLOW=*"),
			[]string{"METRICS_GATE_PPROF_ALLOW", "mint"}},
		{"several at once", good("METRICS_GATE_RATE_BURST=x", "METRICS_GATE_LOG_LEVEL=loud", "METRICS_GATE_NOPE=1"),
			[]string{"RATE_BURST", "LOG_LEVEL", "METRICS_GATE_NOPE"}},
	})
}

func TestLoadAccepts(t *testing.T) {
	for name, environ := range map[string][]string{
		"skew of 0": good("METRICS_GATE_OIDC_ISSUER_URL=https://id.example",
			"METRICS_GATE_OIDC_AUDIENCE=g", "METRICS_GATE_OIDC_CLOCK_SKEW=0s"),
		"empty optional":         good("METRICS_GATE_PPROF_ALLOW=", "METRICS_GATE_RATE_LIMIT="),
		"no port":                good("METRICS_GATE_LISTEN_ADDRESS=127.0.0.1"),
		"service name":           good("METRICS_GATE_LISTEN_ADDRESS=:https"),
		"bare upstream":          good("METRICS_GATE_UPSTREAM_URL=127.0.0.1"),
		"star with certificates": append(good(), "METRICS_GATE_METRICS_ALLOW=*"),
		"service links": good("METRICS_GATE_SERVICE_HOST=10.0.0.1", "METRICS_GATE_SERVICE_PORT=9253",
			"METRICS_GATE_SERVICE_PORT_HTTPS=9253",
			"METRICS_GATE_PORT=tcp://10.0.0.1:9253", "METRICS_GATE_PORT_9253_TCP=tcp://10.0.0.1:9253",
			"METRICS_GATE_PORT_9253_TCP_ADDR=10.0.0.1",
			"METRICS_GATE_RUNNER_SERVICE_HOST=10.0.0.1", "METRICS_GATE_RUNNER_PORT_9253_TCP_PROTO=tcp"),
	} {
		if _, err := Load(environ); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A variable that the parser refuses is reported by its Go field, which must lead back
// to one variable; and every variable is documented.
func TestDeclaration(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range Declared() {
		if seen[v.Name] || v.Doc == "" {
			t.Errorf("%s: declared twice, or without a doc", v.Name)
		}
		seen[v.Name] = true
	}
	if len(seen) < 50 {
		t.Errorf("only %d variables", len(seen))
	}
}
