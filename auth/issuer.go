package auth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

const (
	maxDocument = 1 << 20   // bytes of a discovery document or key set
	rediscover  = time.Hour // how long a jwks_uri is believed
)

// remoteKeys asks an issuer over https: its discovery document (OpenID Connect
// Discovery section 4) for the address of its keys, and that for the keys. It
// follows no redirects and no proxy variables.
//
// The bearer token, if there is one, goes to the issuer's own host and port and
// nowhere else. A Kubernetes API server publishes a jwks_uri on a node's
// address and still wants the token there; so with a token the path of a
// foreign jwks_uri is asked of the issuer's host first, and then jwks_uri
// itself, without the token.
type remoteKeys struct {
	issuer    string
	tokenFile string
	parse     func(data []byte) (*keyring, error)
	now       func() time.Time
	client    atomic.Pointer[http.Client]

	// Only the one refresh in flight touches these.
	places     []string // where the keys are, best first
	discovered time.Time
}

// newKeyClient returns a client that trusts roots; nil is the system's.
func newKeyClient(roots *x509.CertPool) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			DisableKeepAlives:      true, // asked a few times an hour
			DisableCompression:     true,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       fetchTimeout,
	}
}

// fetch implements keySource. What was learnt about the place of the keys is
// forgotten as soon as it fails.
func (s *remoteKeys) fetch(ctx context.Context) (*keyring, error) {
	if len(s.places) == 0 || s.now().Sub(s.discovered) >= rediscover {
		if err := s.discover(ctx); err != nil {
			return nil, err
		}
	}
	var errs []error
	for i, place := range s.places {
		ring, err := s.fetchRing(ctx, place)
		if err == nil {
			s.places = s.places[i:]
			return ring, nil
		}
		errs = append(errs, err)
	}
	s.places = nil
	return nil, errors.Join(errs...)
}

func (s *remoteKeys) fetchRing(ctx context.Context, place string) (*keyring, error) {
	data, err := s.get(ctx, place)
	if err != nil {
		return nil, err
	}
	ring, err := s.parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place, err)
	}
	return ring, nil
}

func (s *remoteKeys) discover(ctx context.Context) error {
	place := strings.TrimSuffix(s.issuer, "/") + "/.well-known/openid-configuration"
	data, err := s.get(ctx, place)
	if err != nil {
		return err
	}
	doc, err := parseObject(data)
	if err != nil {
		return fmt.Errorf("%s: %w", place, err)
	}
	if doc["issuer"] != s.issuer {
		return fmt.Errorf("%s: issuer is not %q character by character", place, s.issuer)
	}
	uri, _ := doc["jwks_uri"].(string)
	keys, err := url.Parse(uri)
	if err != nil || keys.Scheme != "https" || keys.Host == "" || keys.User != nil {
		return fmt.Errorf("%s: jwks_uri is not an https URL", place)
	}
	s.places = []string{uri}
	if s.tokenFile != "" && !s.isIssuer(keys) {
		own, err := url.Parse(s.issuer)
		if err != nil {
			return err
		}
		own.Path, own.RawPath, own.RawQuery = keys.Path, keys.RawPath, keys.RawQuery
		s.places = []string{own.String(), uri}
	}
	s.discovered = s.now()
	return nil
}

// get returns the body of a 200 of at most maxDocument bytes.
func (s *remoteKeys) get(ctx context.Context, place string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json, application/jwk-set+json")
	if s.tokenFile != "" && s.isIssuer(req.URL) {
		token, err := readDiscoveryToken(s.tokenFile)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := s.client.Load().Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d", place, resp.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place, err)
	}
	if len(data) > maxDocument {
		return nil, fmt.Errorf("%s: more than %d bytes", place, maxDocument)
	}
	return data, nil
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

// readDiscoveryToken reads the token anew, for kubelet rewrites it. Its mode is
// not looked at: kubelet makes projected tokens readable for all in the pod.
func readDiscoveryToken(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, 64<<10))
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(data))
	if !isB64Token(token) {
		return "", fmt.Errorf("%s: not a bearer token", path)
	}
	return token, nil
}
