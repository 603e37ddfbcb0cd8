package doctor

import (
	"slices"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// An API server publishes its keys on a node's address, where the token does not go.
func TestKeyPlaces(t *testing.T) {
	for _, test := range []struct {
		token, uri string
		want       []string
	}{
		{"", "https://10.9.0.1/openid/v1/jwks", []string{"https://10.9.0.1/openid/v1/jwks"}},
		{"/token", "https://10.9.0.1/openid/v1/jwks", []string{"https://kubernetes.default.svc/openid/v1/jwks", "https://10.9.0.1/openid/v1/jwks"}},
		{"/token", "https://kubernetes.default.svc/keys", []string{"https://kubernetes.default.svc/keys"}},
	} {
		c := &config.Issuer{URL: "https://kubernetes.default.svc", DiscoveryToken: test.token}
		if got := keyPlaces(c, test.uri); !slices.Equal(got, test.want) {
			t.Errorf("%q, %s: %v, want %v", test.token, test.uri, got, test.want)
		}
	}
}
