package manifest

import (
	"errors"
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/configtest"
)

// oidc turns OpenID Connect on.
func oidc() []string {
	return []string{config.Prefix + "OIDC_ISSUER_URL=https://issuer.example", config.Prefix + "OIDC_AUDIENCE=gate",
		config.Prefix + "OIDC_USERNAME_PREFIX=-", config.Prefix + "OIDC_GROUPS_PREFIX=-"}
}

// tokenReview turns TokenReview on.
func tokenReview() []string {
	return []string{config.Prefix + "KUBERNETES_AUTH=tokenreview",
		config.Prefix + "KUBERNETES_API_URL=https://api.example", config.Prefix + "KUBERNETES_CA_FILE=ca.crt",
		config.Prefix + "KUBERNETES_TOKEN_FILE=token"}
}

func TestScraper(t *testing.T) {
	for allow, want := range map[string]way{
		"dns:a.example":                           byCertificate,
		"token:prometheus":                        byToken,
		"dns:a.example,token:prometheus":          byCertificate,
		"user:prometheus,group:b":                 byOAuth2,
		"user:system:serviceaccount:a:b":          byServiceAccount,
		"group:system:serviceaccounts:monitoring": byServiceAccount,
	} {
		c := configtest.Load(t, oidc()...)
		c.Allow.Metrics = policy(t, allow)
		if got := scraper(c); got != want {
			t.Errorf("%s: %s, want %s", allow, got, want)
		}
	}
	c := configtest.Load(t, tokenReview()...)
	c.Allow.Metrics = policy(t, "user:whoever")
	if got := scraper(c); got != byServiceAccount {
		t.Errorf("TokenReview: %s", got)
	}
	c = configtest.Load(t)
	c.Allow.Metrics = policy(t, "*")
	if got := scraper(c); got != byCertificate {
		t.Errorf("*: %s", got)
	}
	c.TLS.ClientCAFile = ""
	if got := scraper(c); got != byToken {
		t.Errorf("* without certificates: %s", got)
	}
}

// printKind prints a kind with flags.
func printKind(t *testing.T, c *config.Config, kind string, args ...string) string {
	t.Helper()
	var o *options
	set := flag.NewFlagSet("print", flag.ContinueOnError)
	o = newOptions(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	if len(o.Targets) == 0 {
		o.Targets = words{"runner.example:9253"}
	}
	text, err := printers()[kind].print(c, *o)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestPrintPlainHTTP(t *testing.T) {
	c := configtest.Load(t)
	c.TLS = config.TLS{InsecureHTTP: true}
	c.Allow.Metrics = policy(t, "token:prometheus")
	for _, kind := range []string{"scrape-config", "kubernetes_sd", "podmonitor", "servicemonitor", "scrapeconfig",
		"helm-values"} {
		text := strings.ToLower(printKind(t, c, kind))
		if !strings.Contains(text, "scheme: http\n") {
			t.Errorf("%s:\n%s", kind, text)
		}
		for _, unwanted := range []string{"tlsconfig", "tls_config", "tlssecret", "servername", "server_name",
			"certificate"} {
			if strings.Contains(text, unwanted) {
				t.Errorf("%s has %s:\n%s", kind, unwanted, text)
			}
		}
	}
}

// The name to verify is printed only where it is not the name that Prometheus dials.
func TestServerName(t *testing.T) {
	c := configtest.Load(t) // with a certificate for localhost
	for _, x := range []struct {
		kind, args, want string
	}{
		{"scrape-config", "--target=runner.example:9253", "localhost"},
		{"scrape-config", "--target=localhost:9253", ""},
		{"scrape-config", "--target=127.0.0.1:9253,localhost", ""},
		{"scrapeconfig", "--target=localhost:9253", ""},
		{"kubernetes_sd", "--target=localhost:9253", "localhost"}, // pods are dialed by address
		{"podmonitor", "--server-name=gates.example", "gates.example"},
	} {
		if got := printedName(printKind(t, c, x.kind, x.args)); got != x.want {
			t.Errorf("%s %s: %q, want %q", x.kind, x.args, got, x.want)
		}
	}
	_, err := hosts("scrape-config.yml")(c, options{Targets: words{"localhost:9253", "runner.example:9253"}})
	if wrong, ok := errors.AsType[*cli.ConfigError](err); !ok || wrong.Value != "runner.example:9253" {
		t.Errorf("the certificate of one gate names several: %v", err)
	}
	c.TLS.CertFile = "/not/here"
	for kind, want := range map[string]string{
		"scrape-config": "", "podmonitor": "metrics-gate.gitlab-runner.internal",
	} {
		if got := printedName(printKind(t, c, kind)); got != want {
			t.Errorf("%s without a certificate: %q, want %q", kind, got, want)
		}
	}
}

// What is given and not used is said, and a name that the certificate at hand does not have.
func TestWarnings(t *testing.T) {
	c := configtest.Load(t) // with a certificate for localhost
	for _, test := range []struct {
		kind, args string
		want       string
	}{
		{"scrape-config", "--server-name=localhost", ""},
		{"scrape-config", "--server-name=nope.example", "--server-name nope.example: not a name"},
		{"podmonitor", "--server-name=nope.example", "--server-name nope.example: not a name"},
		{"alerts", "--server-name=nope.example", "--server-name: not used"},
		{"scrape-config", "--token-file=a", "--token-file: not used"},
		{"scrape-config", "--env-file=a", ""},
		{"systemd", "--binary=/bin/gate", ""},
	} {
		set := flag.NewFlagSet("print", flag.ContinueOnError)
		o := newOptions(set)
		if err := set.Parse([]string{test.args}); err != nil {
			t.Fatal(err)
		}
		got := o.warnings(test.kind, c, set)
		if !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%s %s: %q", test.kind, test.args, got)
		}
	}
	// Every flag of a kind is declared.
	set := flag.NewFlagSet("print", flag.ContinueOnError)
	newOptions(set)
	for kind := range printers() {
		for name := range strings.FieldsSeq(flagsOf(kind, c)) {
			if set.Lookup(name) == nil {
				t.Errorf("%s: no flag --%s", kind, name)
			}
		}
	}
}

// printedName is the server name in a printed text.
func printedName(text string) string {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if name == "server_name" || name == "serverName" {
			return value
		}
	}
	return ""
}

func TestUnitWord(t *testing.T) {
	for in, want := range map[string]string{
		"A=b": "A=b", "A=b c": `"A=b c"`, `A="x"`: `"A=\"x\""`, "A=100%": "A=100%%", "A=a\\b": `"A=a\\b"`,
		"A=a\nb": `"A=a\nb"`,
	} {
		if got := unitWord(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestCapability(t *testing.T) {
	for address, want := range map[string]string{":9253": "", ":443": "CAP_NET_BIND_SERVICE",
		":1023": "CAP_NET_BIND_SERVICE", ":1024": "", ":80": "CAP_NET_BIND_SERVICE"} {
		c := configtest.Load(t)
		if err := c.Listen.Address.UnmarshalText([]byte(address)); err != nil {
			t.Fatal(err)
		}
		if got := capability(c); got != want {
			t.Errorf("%s: %q", address, got)
		}
		// In a user namespace of its own the capability opens no port of the host.
		if got := strings.Contains(printKind(t, c, "systemd"), "PrivateUsers=yes"); got != (want == "") {
			t.Errorf("%s: PrivateUsers is %v", address, got)
		}
	}
}

func TestUnitStopsInTime(t *testing.T) {
	c := configtest.Load(t)
	c.Process.Linger, c.Process.DrainTimeout = time.Hour, 30*time.Second
	if got := printKind(t, c, "systemd"); !strings.Contains(got, "\nTimeoutStopSec=3645s\n") {
		t.Error(got)
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"a\"b\n: #": `"a\"b\n: #"`, "runner": "runner", "/a/b.crt": "/a/b.crt", "true": `"true"`, "No": `"No"`,
		"10s": `"10s"`, "a:": `"a:"`, "uri:spiffe://a/b": "uri:spiffe://a/b", "": `""`, "*": `"*"`, "a b": `"a b"`,
		"a\u0085b": `"a\u0085b"`, "\x7f\u0080\u009f": `"\u007f\u0080\u009f"`, "\u2028\u2029": `"\u2028\u2029"`,
		"\ufeffä": `"\ufeffä"`, "\uffff": `"\uffff"`,
	} {
		if got := quote(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestFlagsOfLists(t *testing.T) {
	for text, good := range map[string]bool{
		"a=b": true, "a=b,c=d": true, "a": false, "=b": false, "a=": false, "": false,
	} {
		if err := new(pairs).Set(text); (err == nil) != good {
			t.Errorf("labels %q: %v", text, err)
		}
	}
	for text, good := range map[string]bool{"a": true, "a,b": true, "a,": false, "": false} {
		if err := new(words).Set(text); (err == nil) != good {
			t.Errorf("list %q: %v", text, err)
		}
	}
}

// What values of the chart cannot give to the gate is said, with what can.
func TestHelmValuesRefuse(t *testing.T) {
	for name, x := range map[string]struct {
		change func(*config.Config, *options)
		thing  string
	}{
		"a file that is not carried": {func(c *config.Config, _ *options) {
			c.OIDC[0].DiscoveryToken = "token"
		}, config.Prefix + "OIDC_DISCOVERY_TOKEN_FILE"},
		"a service account": {func(c *config.Config, _ *options) {
			c.Allow.Metrics = policy(t, "user:system:serviceaccount:a:b")
		}, config.Prefix + "METRICS_ALLOW"},
		"a release's name": {func(_ *config.Config, o *options) { o.Release = "a b" }, "print --release"},
	} {
		c := configtest.Load(t, oidc()...)
		o := newOptions(flag.NewFlagSet("", flag.ContinueOnError))
		x.change(c, o)
		_, err := helmValues(c, *o)
		if wrong, ok := err.(*cli.ConfigError); !ok || wrong.Thing != x.thing {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The gate's ConfigMap has the present settings, with the paths and ports of the pod.
func TestHelmValuesSettings(t *testing.T) {
	c := configtest.Load(t, config.Prefix+"LISTEN_ADDRESS=127.0.0.1:9999", config.Prefix+"LINGER=10m",
		config.Prefix+"LABELS=a={{b}}", config.Prefix+"ADMIN_ADDRESS=off", config.Prefix+"RATE_LIMIT=3")
	text := printKind(t, c, "helm-values", "--release=build")
	for _, want := range []string{
		`METRICS_GATE_LISTEN_ADDRESS: ":9999"`, `METRICS_GATE_ADMIN_ADDRESS: ":9254"`, `METRICS_GATE_RATE_LIMIT: "3"`,
		`METRICS_GATE_LABELS: "a={{ \"{{\" }}b}}"`, "name: METRICS_GATE_LINGER, value: \"10m0s\"", "port: 9999 #",
		"METRICS_GATE_TLS_CLIENT_CA_FILE: /etc/metrics-gate/auth/client-ca.crt", "name: &name build-metrics-gate\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	for _, unwanted := range []string{"demo-runner", "ADMIN_ADDRESS: off"} {
		if strings.Contains(text, unwanted) {
			t.Errorf("%s in\n%s", unwanted, text)
		}
	}
}

func TestStaleKeys(t *testing.T) {
	c := configtest.Load(t, append(oidc(), config.Prefix+"OIDC_JWKS_MAX_AGE=1h")...)
	if got := staleKeys(c); got != 30*time.Minute {
		t.Error(got)
	}
	if !strings.Contains(Rules(c), "> 1800\n") || strings.Contains(Rules(c), "LABEL") {
		t.Error(Rules(c))
	}
}

// policy parses an allow list.
func policy(t *testing.T, list string) auth.Policy {
	t.Helper()
	p, err := auth.ParsePolicy(list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
