package config

import (
	"slices"
	"testing"
)

// Each mistake is reported once: what only follows from it is not an error of its own.
func TestDerivedErrorsAreLeftOut(t *testing.T) {
	without := func(name string, more ...string) []string {
		environ := slices.DeleteFunc(
			good(),
			func(entry string) bool { return lookup([]string{entry}, Prefix+name) != "" },
		)
		return append(environ, more...)
	}

	for name, test := range map[string]struct {
		environ []string
		want    []string // the variables that are blamed, without prefix, in any order
	}{
		"typing mistake in the certificate": {without("TLS_CERT_FILE", "METRICS_GATE_TLS_CERT_FILES=/c"),
			[]string{"TLS_CERT_FILES"}},
		"typing mistake in the key": {without("TLS_KEY_FILE", "METRICS_GATE_TLS_KEYFILE=/k"), []string{"TLS_KEYFILE"}},
		"typing mistake in the only method": {without("TLS_CLIENT_CA_FILE", "METRICS_GATE_TOKEN_FILE=/t"),
			[]string{"TOKEN_FILE"}},
		"typing mistake in the allow list": {without("METRICS_ALLOW", "METRICS_GATE_METRIC_ALLOW=dns:a"),
			[]string{"METRIC_ALLOW"}},
		"typing mistake in the issuer": {good("METRICS_GATE_OIDC_ISSUER=https://id.example",
			"METRICS_GATE_OIDC_AUDIENCE=g"), []string{"OIDC_ISSUER"}},
		"typing mistake in the audience": {good("METRICS_GATE_OIDC_ISSUER_URL=https://id.example",
			"METRICS_GATE_OIDC_AUDIENCES=g"), []string{"OIDC_AUDIENCES"}},
		"bad switch of plain HTTP": {without("TLS_CERT_FILE", "METRICS_GATE_INSECURE_HTTP=yes please"),
			[]string{"INSECURE_HTTP"}},
		"bad switch of the only method": {without("TLS_CLIENT_CA_FILE", "METRICS_GATE_KUBERNETES_AUTH=yes"),
			[]string{"KUBERNETES_AUTH"}},
		"bad allow list": {without("METRICS_ALLOW", "METRICS_GATE_METRICS_ALLOW=prometheus"),
			[]string{"METRICS_ALLOW"}},
		"bad age of keys": {good("METRICS_GATE_OIDC_ISSUER_URL=https://id.example", "METRICS_GATE_OIDC_AUDIENCE=g",
			"METRICS_GATE_OIDC_JWKS_MAX_AGE=long"), []string{"OIDC_JWKS_MAX_AGE"}},
		"bad interval of keys": {good("METRICS_GATE_OIDC_ISSUER_URL=https://id.example",
			"METRICS_GATE_OIDC_AUDIENCE=g", "METRICS_GATE_OIDC_JWKS_MIN_INTERVAL=short"),
			[]string{"OIDC_JWKS_MIN_INTERVAL"}},
		"list of a CA that is not set": {without("TLS_CLIENT_CA_FILE", "METRICS_GATE_TLS_CLIENT_CRL_FILE=/l"),
			[]string{"TLS_CLIENT_CA_FILE"}},
		"bound below a default": {good("METRICS_GATE_UPSTREAM_MAX_BYTES=1000"), []string{"UPSTREAM_MAX_BYTES"}},
		"bound above a default": {good("METRICS_GATE_UPSTREAM_MAX_LINE_BYTES=99999999"),
			[]string{"UPSTREAM_MAX_LINE_BYTES"}},
		"two that are missing": {without("METRICS_ALLOW", "METRICS_GATE_TLS_CERT_FILE=", "METRICS_GATE_TLS_KEY_FILE="),
			[]string{"TLS_CERT_FILE", "METRICS_ALLOW"}},
	} {
		_, err := Load(test.environ)
		got := blamed(t, err)
		for i := range test.want {
			test.want[i] = Prefix + test.want[i]
		}
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(test.want))) {
			t.Errorf("%s: blamed %q, want %q", name, got, test.want)
		}
	}
}
