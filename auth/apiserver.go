package auth

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxAnswer bounds an answer of the API server.
const maxAnswer = 1 << 20 // bytes

// apiServer posts reviews to the Kubernetes API server over HTTPS: no
// redirects, no proxy of the environment, bounded answers, and a bounded
// number of calls at one time. All its errors wrap ErrUnavailable.
type apiServer struct {
	options KubernetesOptions
	slots   chan struct{}

	mu     sync.Mutex
	ca     []byte // what client trusts
	client *http.Client

	untrusted, unreadable, unaccepted, forbidden rate.Sometimes
}

// logInterval is how often the log says the same about the API server:
// strangers' tokens must not flood it while the gate's own rights are missing.
const logInterval = 30 * time.Second

func newAPIServer(o KubernetesOptions) (*apiServer, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	sometimes := func() rate.Sometimes { return rate.Sometimes{Interval: logInterval} }
	a := &apiServer{options: o, slots: make(chan struct{}, o.Parallel),
		untrusted: sometimes(), unreadable: sometimes(), unaccepted: sometimes(), forbidden: sometimes()}
	if _, err := a.current(); err != nil {
		return nil, err
	}
	if _, err := a.token(); err != nil {
		return nil, err
	}
	return a, nil
}

// current returns the client for what the CA file holds now. A file that has
// become bad leaves the old trust in place.
func (a *apiServer) current() (*http.Client, error) {
	ca, err := readBounded(a.options.CAFile)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil && a.client != nil && bytes.Equal(ca, a.ca) {
		return a.client, nil
	}
	roots := x509.NewCertPool()
	if err == nil && !roots.AppendCertsFromPEM(ca) {
		err = fmt.Errorf("%s: no PEM certificate in it", a.options.CAFile)
	}
	if err != nil {
		err = fmt.Errorf("kubernetes CA file %w", err)
		if a.client == nil {
			return nil, err
		}
		a.untrusted.Do(func() { a.options.Log.Error("kubernetes CA file unusable, the old one stays", "err", err) })
		return a.client, nil
	}
	if a.client != nil {
		a.client.CloseIdleConnections()
	}
	a.ca, a.client = ca, newAPIClient(roots, a.options.Parallel)
	return a.client, nil
}

func newAPIClient(roots *x509.CertPool, parallel int) *http.Client {
	return &http.Client{
		Timeout:       reviewTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  nil,
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    reviewTimeout,
			IdleConnTimeout:        2 * reviewAllowed,
			MaxIdleConnsPerHost:    parallel,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true, // what is bounded is what is sent
		},
	}
}

// token returns the gate's own token, read anew: the kubelet rotates it.
func (a *apiServer) token() (string, error) {
	content, err := readBounded(a.options.TokenFile)
	if err != nil {
		return "", fmt.Errorf("kubernetes token file %w", err)
	}
	token := strings.TrimSpace(string(content))
	if !isB64Token(token) {
		return "", fmt.Errorf("kubernetes token file %s: not a bearer token", a.options.TokenFile)
	}
	return token, nil
}

// review posts in to the API at path, an "apis/GROUP/VERSION/RESOURCE", and
// decodes the answer into out. It is given three seconds, waiting for its turn
// included, whatever the request that wants it does.
func (a *apiServer) review(path string, in, out any) error {
	ctx, cancel := context.WithTimeout(context.Background(), reviewTimeout)
	defer cancel()
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-ctx.Done():
		return fmt.Errorf("%w: kubernetes API: %d reviews are under way already", ErrUnavailable, cap(a.slots))
	}
	if err := a.post(ctx, path, in, out); err != nil {
		return fmt.Errorf("%w: kubernetes API: %w", ErrUnavailable, err)
	}
	return nil
}

func (a *apiServer) post(ctx context.Context, path string, in, out any) error {
	client, err := a.current()
	if err != nil {
		return err
	}
	token, err := a.token()
	if err != nil {
		a.unreadable.Do(func() { a.options.Log.Error("kubernetes token file unusable", "err", err) })
		return err
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	url := strings.TrimSuffix(a.options.URL, "/") + "/" + path
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "metrics-gate")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return a.answer(resp, path, out)
}

func (a *apiServer) answer(resp *http.Response, path string, out any) error {
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return err
	case len(content) > maxAnswer:
		return fmt.Errorf("answer larger than %d bytes", maxAnswer)
	}
	resource := path[strings.LastIndexByte(path, '/')+1:]
	switch resp.StatusCode {
	case http.StatusOK, http.StatusCreated:
	case http.StatusUnauthorized:
		a.unaccepted.Do(func() {
			a.options.Log.Error("kubernetes API does not accept the gate's own token: see that it is a live service account token of this cluster",
				"err", fmt.Sprintf("%s: status %d with the token of %s", resource, resp.StatusCode, a.options.TokenFile))
		})
		return fmt.Errorf("%s: status %d for the gate's own token", resource, resp.StatusCode)
	case http.StatusForbidden:
		a.forbidden.Do(func() {
			a.options.Log.Error("kubernetes API forbids the gate to ask: bind the ClusterRole system:auth-delegator to its service account",
				"err", fmt.Sprintf("%s: status %d; RBAC lacks the verb create on %s", resource, resp.StatusCode, resource))
		})
		return fmt.Errorf("%s: status %d; the gate lacks the RBAC verb create on it", resource, resp.StatusCode)
	default:
		return fmt.Errorf("%s: unexpected status %d", resource, resp.StatusCode)
	}
	if err := json.Unmarshal(content, out); err != nil {
		return fmt.Errorf("%s: answer is not the JSON of a review", resource)
	}
	return nil
}

// close ends idle connections; a later call opens new ones.
func (a *apiServer) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.client.CloseIdleConnections()
}
