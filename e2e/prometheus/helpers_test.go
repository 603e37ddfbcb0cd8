package prometheus_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/metrics-gate/metrics-gate/e2e/oidc/provider"
)

// fetchKeys fetches the key set, for a gate that reads it from a file.
func fetchKeys(p *provider.Provider) ([]byte, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(p.CA()) {
		return nil, errors.New("no certificate in the provider's CA")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool},
		DisableKeepAlives: true}}
	get := func(url string) ([]byte, error) {
		response, err := client.Get(url)
		if err != nil {
			return nil, err
		}
		defer func() { _ = response.Body.Close() }()
		return io.ReadAll(response.Body)
	}
	text, err := get(strings.TrimSuffix(p.Issuer(), "/") + "/.well-known/openid-configuration")
	if err != nil {
		return nil, err
	}
	var discovery struct {
		JWKSURI string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(text, &discovery); err != nil {
		return nil, err
	}
	return get(discovery.JWKSURI)
}

// containsToken reports whether text contains a secret part of token.
func containsToken(text, token string) bool {
	for part := range strings.SplitSeq(token, ".") {
		if len(part) > 16 && strings.Contains(text, part[:16]) {
			return true
		}
	}
	return false
}
