package auth

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestNewOIDCRefusesOptions(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("no PEM\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		change func(*OIDCOptions)
		text   string
	}{
		"http issuer":     {func(o *OIDCOptions) { o.Issuer = "http://idp.example" }, "not an https URL"},
		"no issuer":       {func(o *OIDCOptions) { o.Issuer = "" }, "issuer: not set"},
		"issuer query":    {func(o *OIDCOptions) { o.Issuer += "?a=b" }, "query"},
		"issuer fragment": {func(o *OIDCOptions) { o.Issuer += "#a" }, "fragment"},
		"issuer user":     {func(o *OIDCOptions) { o.Issuer = "https://a@idp.example" }, "user info"},
		"no audience":     {func(o *OIDCOptions) { o.Audiences = nil }, "audience"},
		"empty audience":  {func(o *OIDCOptions) { o.Audiences = []string{"a", ""} }, "audience"},
		"none":            {func(o *OIDCOptions) { o.Algorithms = []string{"none"} }, "algorithms none:"},
		"HMAC":            {func(o *OIDCOptions) { o.Algorithms = []string{"RS256", "HS256"} }, "algorithms HS256:"},
		"algorithm case":  {func(o *OIDCOptions) { o.Algorithms = []string{"rs256"} }, "algorithms rs256:"},
		"skew":            {func(o *OIDCOptions) { o.ClockSkew = 61 * time.Second }, "clock skew 1m1s"},
		"negative skew":   {func(o *OIDCOptions) { o.ClockSkew = -1 }, "clock skew"},
		"lifetime":        {func(o *OIDCOptions) { o.MaxLifetime = -time.Hour }, "lifetime"},
		"interval":        {func(o *OIDCOptions) { o.JWKSMinInterval = -1 }, "interval"},
		"age":             {func(o *OIDCOptions) { o.JWKSMaxAge = 10 * time.Second }, "age of keys 10s"},
		"claim":           {func(o *OIDCOptions) { o.GroupsClaim = "a..b" }, "groups claim a..b:"},
		"no CA file":      {func(o *OIDCOptions) { o.CAFile = "/nowhere/ca" }, "/nowhere/ca"},
		"empty CA file":   {func(o *OIDCOptions) { o.CAFile = empty }, "no PEM block"},
		"no key file":     {func(o *OIDCOptions) { o.JWKSFile = "/nowhere/keys" }, "/nowhere/keys"},
		"bad key file":    {func(o *OIDCOptions) { o.JWKSFile = empty }, "key set"},
		"token, key files": {
			func(o *OIDCOptions) { o.JWKSFile, o.DiscoveryTokenFile = "a", "b" },
			"discovery token file b",
		},
	}
	for name, test := range tests {
		o := OIDCOptions{Issuer: "https://idp.example", Audiences: []string{"gate"}}
		test.change(&o)
		if _, err := NewOIDC(o); err == nil || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %v, want %q", name, err, test.text)
		}
	}
	_, err := NewOIDC(OIDCOptions{Algorithms: []string{"none"}})
	for _, part := range []string{"issuer", "audience", "none"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("all at once: %v lacks %q", err, part)
		}
	}
}

func TestOIDCMetricsOfSeveralIssuers(t *testing.T) {
	registry := prometheus.NewRegistry()
	withRegistry := func(o *OIDCOptions) { o.Registerer = registry }
	f, g := newOIDCFixture(t, withRegistry), newOIDCFixture(t, withRegistry)
	if _, err := f.try(f.good(t)); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil || len(families) != 1 ||
		families[0].GetName() != "metrics_gate_jwks_last_success_timestamp_seconds" {
		t.Fatalf("%v, %v", families, err)
	}
	values := map[string]float64{}
	for _, metric := range families[0].Metric {
		values[metric.Label[0].GetValue()] = metric.Gauge.GetValue()
	}
	if want := float64(f.clock.Now().Unix()); values[f.issuer.URL] != want {
		t.Errorf("asked issuer: %v, want %v", values[f.issuer.URL], want)
	}
	if value, ok := values[g.issuer.URL]; !ok || value != 0 {
		t.Errorf("other issuer: %v %v, want 0", value, ok)
	}
	o := f.oidc.options
	if _, err := NewOIDC(o); err == nil {
		t.Error("the same issuer twice in one registry was accepted")
	}
}

// What is secret in a URL is in no error.
func TestErrorsHideSecretsOfURLs(t *testing.T) {
	for _, err := range []error{
		OIDCOptions{Issuer: "https://id.example/?token=pa55", Audiences: []string{"g"}}.Validate(),
		OIDCOptions{Issuer: "https://user:pa55@id.example", Audiences: []string{"g"}}.Validate(),
		KubernetesOptions{URL: "https://api.example/?token=pa55"}.Validate(),
		&IssuerError{URL: "https://id.example/keys?token=pa55", Err: errors.New("refused")},
		&IssuerError{URL: "https://id.example/keys?token=a@pa55", Err: errors.New("refused")},
	} {
		if err == nil || strings.Contains(err.Error(), "pa55") {
			t.Error(err)
		}
	}
}
