package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

const maxIssuerBytes = 1 << 20 // of a discovery document or a key set

// issuers asks each configured issuer for its discovery document and keys.
func (d *doctor) issuers(ctx context.Context) []cli.Finding {
	var found []cli.Finding
	for i := range d.config.OIDC {
		if issuer := &d.config.OIDC[i]; issuer.URL != "" {
			found = append(found, d.issuer(ctx, issuer)...)
		}
	}
	return found
}

func (d *doctor) issuer(ctx context.Context, c *config.Issuer) []cli.Finding {
	if c.JWKSFile != "" {
		keys, err := os.ReadFile(c.JWKSFile)
		if err != nil {
			return []cli.Finding{cli.Fail("name a file that can be read in "+c.Prefix+"JWKS_FILE", "issuer %s: %v", c.URL, err)}
		}
		return []cli.Finding{d.keys(c, c.JWKSFile, keys)}
	}
	client, err := issuerClient(c)
	if err != nil {
		return []cli.Finding{cli.Fail("name the issuer's authority in "+c.Prefix+"CA_FILE", "issuer %s: %v", c.URL, err)}
	}
	place := strings.TrimSuffix(c.URL, "/") + "/.well-known/openid-configuration"
	response, document, err := d.fetch(ctx, client, place, maxIssuerBytes)
	if err != nil {
		return []cli.Finding{cli.Fail("see DNS, firewall and "+c.Prefix+"CA_FILE; until keys are had once, tokens get 503", "issuer %s: %v", c.URL, err)}
	}
	found := d.skew(c, response)
	var discovery struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	switch err := json.Unmarshal(document, &discovery); {
	case response.StatusCode == http.StatusUnauthorized, response.StatusCode == http.StatusForbidden:
		return append(found, cli.Fail("set "+c.Prefix+"DISCOVERY_TOKEN_FILE (on Kubernetes the pod's API token)", "issuer %s: discovery answers %s", c.URL, response.Status))
	case response.StatusCode != http.StatusOK || err != nil:
		return append(found, cli.Fail("see that "+c.Prefix+"ISSUER_URL is exactly the iss of the tokens", "issuer %s: discovery answers %s and no JSON document", c.URL, response.Status))
	case discovery.Issuer != c.URL:
		return append(found, cli.Fail("set "+c.Prefix+"ISSUER_URL="+discovery.Issuer, "issuer %s: calls itself %q, and both must be equal character by character", c.URL, discovery.Issuer))
	case !strings.HasPrefix(discovery.Keys, "https://"):
		return append(found, cli.Fail("the issuer must publish an https jwks_uri", "issuer %s: jwks_uri is %q", c.URL, discovery.Keys))
	}
	what := ""
	for _, place := range keyPlaces(c, discovery.Keys) {
		response, keys, err := d.fetch(ctx, client, place, maxIssuerBytes)
		if err == nil && response.StatusCode == http.StatusOK {
			return append(found, d.keys(c, place, keys))
		}
		if what = fmt.Sprint(err); err == nil {
			what = response.Status
		}
	}
	return append(found, cli.Fail("see that the gate can reach it", "issuer %s: keys at %s: %s", c.URL, discovery.Keys, what))
}

// keyPlaces lists where the gate looks for keys: a Kubernetes API server publishes them on a
// node's address and wants the token there, which goes to the issuer's own host alone.
func keyPlaces(c *config.Issuer, uri string) []string {
	issuer, err := url.Parse(c.URL)
	keys, err2 := url.Parse(uri)
	if c.DiscoveryToken == "" || err != nil || err2 != nil || keys.Host == issuer.Host {
		return []string{uri}
	}
	own := *keys
	own.Host = issuer.Host
	return []string{own.String(), uri}
}

// keys counts the keys that can verify signatures.
func (d *doctor) keys(c *config.Issuer, place string, document []byte) cli.Finding {
	var set struct {
		Keys []struct{ Kty, Use, Alg string }
	}
	if err := json.Unmarshal(document, &set); err != nil {
		return cli.Fail("it must be a JSON Web Key Set (RFC 7517)", "issuer %s: keys at %s: %v", c.URL, place, err)
	}
	usable := 0
	for _, key := range set.Keys {
		if key.Use != "enc" && key.Kty != "oct" {
			usable++
		}
	}
	if usable == 0 {
		return cli.Fail("the issuer must publish signing keys", "issuer %s: no key at %s can verify a token", c.URL, place)
	}
	return cli.OK("issuer %s: %d keys at %s", c.URL, usable, place)
}

// skew compares the clocks: the Date of an answer is whole seconds old at most.
func (d *doctor) skew(c *config.Issuer, response *http.Response) []cli.Finding {
	date, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return nil
	}
	off := d.now().Sub(date).Round(time.Second)
	if off.Abs() > c.ClockSkew {
		return []cli.Finding{cli.Fail("set the clock right (NTP)", "clock: %s off the issuer's, and %sCLOCK_SKEW is %s: its tokens are refused", off, c.Prefix, c.ClockSkew)}
	}
	if off.Abs() > c.ClockSkew/2 && off.Abs() > 2*time.Second {
		return []cli.Finding{cli.Warn("set the clock right (NTP)", "clock: %s off the issuer's, of %s that are let pass", off, c.ClockSkew)}
	}
	return []cli.Finding{cli.OK("clock: within %s of %s", max(off.Abs(), time.Second), c.URL)}
}

// client trusts what the gate does, and sends the discovery token to the issuer's own host alone.
func issuerClient(c *config.Issuer) (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: no PEM certificate in it", c.CAFile)
		}
	}
	asks := client.New(doctorTimeout)
	asks.Transport = &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}
	if c.DiscoveryToken != "" {
		issuer, err := url.Parse(c.URL)
		if err != nil {
			return nil, err
		}
		asks.Transport = hostToken{asks.Transport, issuer.Host, &client.Credentials{TokenFile: c.DiscoveryToken}}
	}
	return asks, nil
}

// hostToken sends a token to one host and port, and nowhere else.
type hostToken struct {
	http.RoundTripper
	host        string
	credentials *client.Credentials
}

// RoundTrip implements http.RoundTripper.
func (t hostToken) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != t.host {
		return t.RoundTripper.RoundTrip(r)
	}
	return client.TokenTransport{RoundTripper: t.RoundTripper, Credentials: t.credentials}.RoundTrip(r)
}
