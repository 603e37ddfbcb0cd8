package auth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

// rediscover is how long a jwks_uri is used before the discovery document is read again.
const rediscover = time.Hour

// remoteKeys asks an issuer over https: for its discovery document (OpenID Connect Discovery
// section 4), and at the address in it for the keys. It follows no redirects and no proxy
// variables.
//
// The bearer token, if there is one, is sent to the issuer's own host and port only. A
// Kubernetes API server publishes a jwks_uri with a node's address and requires the token
// there. So with a token the path of a jwks_uri on another host is first asked of the
// issuer's host, and then the jwks_uri itself, without the token.
type remoteKeys struct {
	issuer    string
	tokenFile string
	parse     func(data []byte) (*keyring, error)
	now       func() time.Time
	client    *atomic.Pointer[http.Client]

	// Only one fetch runs at a time, and only it uses these.
	keyURLs    []string // where the keys are, best first
	discovered time.Time
	date       time.Time // Date of the last answer; zero if it had none
}

// newKeyClient returns a client that trusts roots; nil is the system's.
func newKeyClient(roots *x509.CertPool) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			DisableKeepAlives:      true, // asked a few times an hour
			DisableCompression:     true, // readBody decompresses, within its bound
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       fetchTimeout,
	}
}

// IssuerError says why an issuer's discovery document or keys cannot be used.
type IssuerError struct {
	URL    string // of the document
	Status int    // of the answer; 0 if there was none, 200 if its content is at fault
	Issuer string // the document's issuer if it is not the configured one
	Err    error  // without the URL
	Advice string // what to do about it; may be empty
}

// Error is "<URL>: <what is wrong>", without the query of the URL and without the advice.
func (e *IssuerError) Error() string { return redactURL(e.URL) + ": " + e.Err.Error() }

// Unwrap returns e.Err.
func (e *IssuerError) Unwrap() error { return e.Err }

// fetch implements keySource. An address of the keys that fails is dropped, so that the next
// fetch reads the discovery document again.
func (s *remoteKeys) fetch(ctx context.Context) (*keyring, error) {
	if age := s.now().Sub(s.discovered); len(s.keyURLs) == 0 || age >= rediscover || age < 0 {
		if err := s.discover(ctx); err != nil {
			return nil, err
		}
	}
	var errs []error
	for i, address := range s.keyURLs {
		ring, err := s.fetchRing(ctx, address)
		if err == nil {
			s.keyURLs = s.keyURLs[i:]
			return ring, nil
		}
		errs = append(errs, err)
	}
	s.keyURLs = nil
	return nil, errors.Join(errs...)
}

func (s *remoteKeys) fetchRing(ctx context.Context, address string) (*keyring, error) {
	data, err := s.get(ctx, address)
	if err != nil {
		return nil, err
	}
	ring, err := s.parse(data)
	if err != nil {
		return nil, &IssuerError{URL: address, Status: http.StatusOK, Err: err,
			Advice: "the issuer must publish a JWK Set (RFC 7517) with a public signing key"}
	}
	return ring, nil
}

func (s *remoteKeys) discover(ctx context.Context) error {
	address := strings.TrimSuffix(s.issuer, "/") + "/.well-known/openid-configuration"
	data, err := s.get(ctx, address)
	if err != nil {
		return err
	}
	wrong := func(err error, advice string) *IssuerError {
		return &IssuerError{URL: address, Status: http.StatusOK, Err: err, Advice: advice}
	}
	if data, err = safefile.TrimBOM(data); err != nil {
		return wrong(err, "the issuer must send UTF-8")
	}
	doc, err := parseObject(data)
	if err != nil {
		return wrong(err, "the configured issuer must be exactly the iss of its tokens")
	}
	if doc["issuer"] != s.issuer {
		name, _ := doc["issuer"].(string)
		err := wrong(fmt.Errorf("issuer is %q there and %q in the configuration", clip(name), s.issuer),
			"both must be equal character by character; configure the one in the iss of the tokens")
		err.Issuer = name
		return err
	}
	uri, _ := doc["jwks_uri"].(string)
	keys, err := url.Parse(uri)
	if err != nil || keys.Scheme != "https" || keys.Host == "" || keys.User != nil {
		return wrong(fmt.Errorf("jwks_uri %q is not an https URL", clip(redactURL(uri))),
			"the issuer must publish its keys over https")
	}
	s.keyURLs = []string{uri}
	if s.tokenFile != "" && !s.isIssuer(keys) {
		own, err := url.Parse(s.issuer)
		if err != nil {
			return err
		}
		own.Path, own.RawPath, own.RawQuery = keys.Path, keys.RawPath, keys.RawQuery
		s.keyURLs = []string{own.String(), uri}
	}
	s.discovered = s.now()
	return nil
}

// get returns the body of a 200 of at most maxDocument bytes.
func (s *remoteKeys) get(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json, application/jwk-set+json")
	req.Header.Set("Accept-Encoding", "identity")
	if s.tokenFile != "" && s.isIssuer(req.URL) {
		token, err := readBearer(OptionDiscoveryTokenFile, s.tokenFile)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := s.client.Load().Do(req)
	if err != nil {
		return nil, &IssuerError{URL: address, Err: withoutURL(err),
			Advice: "see DNS, firewall and the CA file; until the keys are fetched once, its tokens get 503"}
	}
	defer resp.Body.Close()
	s.date, _ = http.ParseTime(resp.Header.Get("Date"))
	if resp.StatusCode != http.StatusOK {
		return nil, &IssuerError{URL: address, Status: resp.StatusCode, Err: fmt.Errorf("status %d", resp.StatusCode),
			Advice: statusAdvice(resp.StatusCode)}
	}
	data, err := readBody(resp, maxDocument)
	if err != nil {
		return nil, &IssuerError{URL: address, Status: resp.StatusCode, Err: err}
	}
	return data, nil
}

func statusAdvice(status int) string {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return "set a discovery token file (on Kubernetes the pod's own token)"
	case status >= 300 && status < 400:
		return "redirects are not followed; configure the issuer as its tokens name it"
	}
	return "the configured issuer must be exactly the iss of its tokens"
}

// isIssuer reports whether u is on the issuer's own host and port.
func (s *remoteKeys) isIssuer(u *url.URL) bool {
	own, err := url.Parse(s.issuer)
	return err == nil && u.Scheme == "https" && hostPort(u) == hostPort(own)
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "443"
	}
	return strings.ToLower(u.Hostname()) + " " + port
}

// IssuerReport is what an issuer answers.
type IssuerReport struct {
	KeysURL string     // where the keys are: a URL or the path of the key file
	KeyIDs  []string   // kids of the keys that can be used; "" for a key without
	Unused  []KeyFault // keys that are for signatures and cannot be used
	// Clock is the issuer's clock minus the gate's, from the Date of its answer: within a
	// second and the time of one exchange. ClockKnown is false if there was no Date.
	Clock      time.Duration
	ClockKnown bool
}

// Probe asks the issuer for its discovery document and keys, or reads the key file, just as a
// token would make the authenticator do: with the same client, bounds and checks. It changes
// nothing. Errors are *IssuerError or *OptionError, perhaps joined.
func (a *OIDC) Probe(ctx context.Context) (IssuerReport, error) {
	if path := a.options.JWKSFile; path != "" {
		ring, _, err := a.readKeys(path)
		if err != nil {
			return IssuerReport{}, err
		}
		return IssuerReport{KeysURL: path, KeyIDs: ring.ids(), Unused: ring.unused}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	remote := a.newRemoteKeys()
	ring, err := remote.fetch(ctx)
	var report IssuerReport
	if !remote.date.IsZero() {
		report.Clock, report.ClockKnown = remote.date.Sub(a.options.Now()), true
	}
	if err != nil {
		return report, err
	}
	report.KeysURL, report.KeyIDs, report.Unused = remote.keyURLs[0], ring.ids(), ring.unused
	return report, nil
}
