package manifest

import (
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/configtest"
)

func TestScraper(t *testing.T) {
	for allow, want := range map[string][2]bool{
		"dns:a.example":                  {true, false},
		"token:prometheus":               {false, true},
		"dns:a.example,token:prometheus": {true, false},
		"user:a,group:b":                 {false, true},
		"*":                              {true, false},
	} {
		c := configtest.Load(t)
		c.Allow.Metrics = policy(t, allow)
		if certificate, bearer := scraper(c); certificate != want[0] || bearer != want[1] {
			t.Errorf("%s: %v %v", allow, certificate, bearer)
		}
	}
	c := configtest.Load(t)
	c.TLS.ClientCAFile = ""
	c.Allow.Metrics = policy(t, "*")
	if certificate, bearer := scraper(c); certificate || !bearer {
		t.Errorf("* without certificates: %v %v", certificate, bearer)
	}
}

func TestPrintPlainHTTP(t *testing.T) {
	c := configtest.Load(t)
	c.TLS = config.TLS{InsecureHTTP: true}
	c.Allow.Metrics = policy(t, "token:prometheus")
	var o printOptions
	o.flags(flag.NewFlagSet("", flag.ContinueOnError))
	for name, text := range map[string]string{"scrape-config": scrapeConfig(c, o), "podmonitor": podMonitor(c, o)} {
		if !strings.Contains(text, "scheme: http\n") || strings.Contains(strings.ToLower(text), "tls") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}

func TestPromDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		10 * time.Second: "10s", 90 * time.Second: "1m30s", 1500 * time.Millisecond: "1500ms", time.Hour: "1h0m0s",
	} {
		if got := promDuration(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
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
	}
}

func TestQuoted(t *testing.T) {
	if got := quoted("a\"b\n: #"); got != `"a\"b\n: #"` {
		t.Error(got)
	}
}

func TestStaleKeys(t *testing.T) {
	c := configtest.Load(t, config.Prefix+"OIDC_ISSUER_URL=https://issuer.example", config.Prefix+"OIDC_AUDIENCE=gate",
		config.Prefix+"OIDC_JWKS_MAX_AGE=1h")
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
