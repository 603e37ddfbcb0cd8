package auth

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// apiServer posts reviews to the Kubernetes API server over HTTPS: no redirects, no proxy of
// the environment, bounded answers, and a bounded number of calls at one time. All errors of
// review wrap ErrUnavailable.
type apiServer struct {
	options KubernetesOptions
	slots   chan struct{}

	mu     sync.Mutex
	ca     [sha256.Size]byte // digest of what client trusts
	client *http.Client

	untrusted, unreadable, unaccepted, forbidden rate.Sometimes
}

// logInterval is the least time between two log lines of one kind about the API server: bad
// tokens must not flood the log while the gate's own rights are missing.
const logInterval = 30 * time.Second

func newAPIServer(o KubernetesOptions) (*apiServer, error) {
	invalid := o.Validate()
	o = o.withDefaults()
	sometimes := func() rate.Sometimes { return rate.Sometimes{Interval: logInterval} }
	a := &apiServer{options: o, slots: make(chan struct{}, o.Parallel),
		untrusted: sometimes(), unreadable: sometimes(), unaccepted: sometimes(), forbidden: sometimes()}
	_, badCA := a.current()
	_, badToken := readBearer(OptionAPITokenFile, o.TokenFile)
	if err := errors.Join(invalid, badCA, badToken); err != nil {
		return nil, err
	}
	return a, nil
}

// current returns the client for what the CA file holds now. A file that has become bad
// leaves the old trust in place.
func (a *apiServer) current() (*http.Client, error) {
	roots, digest, err := readRoots(OptionAPICAFile, a.options.CAFile)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err != nil && a.client == nil:
		return nil, err
	case err != nil:
		a.untrusted.Do(func() { a.options.Log.Error("kubernetes CA file unusable, the old one stays", "err", err) })
		return a.client, nil
	case a.client != nil && digest == a.ca:
		return a.client, nil
	case a.client != nil:
		a.client.CloseIdleConnections()
	}
	a.ca, a.client = digest, newAPIClient(roots, a.options.Parallel)
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
			DisableCompression:     true, // readBody decompresses, within its bound
		},
	}
}

// review posts in to the API at path, an "apis/GROUP/VERSION/RESOURCE", and decodes the answer
// into out. It has three seconds, waiting for its turn included, also when the request that
// wants it ends. After a broken connection or a 5xx it asks once more: a review changes
// nothing, and an API server that restarts behind a load balancer shows both.
func (a *apiServer) review(path string, in, out any) error {
	ctx, cancel := context.WithTimeout(context.Background(), reviewTimeout)
	defer cancel()
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-ctx.Done():
		return fmt.Errorf("%w: kubernetes API: %d reviews are under way already", ErrUnavailable, cap(a.slots))
	}
	err := a.post(ctx, path, in, out)
	var again *retryableError
	if errors.As(err, &again) && ctx.Err() == nil {
		err = a.post(ctx, path, in, out)
	}
	if err != nil {
		return fmt.Errorf("%w: kubernetes API: %w", ErrUnavailable, err)
	}
	return nil
}

// retryableError is the error of an exchange that can succeed when it is tried again.
type retryableError struct{ error }

// Unwrap returns the error itself.
func (e *retryableError) Unwrap() error { return e.error }

func (a *apiServer) post(ctx context.Context, path string, in, out any) error {
	client, err := a.current()
	if err != nil {
		return err
	}
	token, err := readBearer(OptionAPITokenFile, a.options.TokenFile) // anew: the kubelet rotates it
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
		return &retryableError{err}
	}
	defer resp.Body.Close()
	return a.answer(resp, path, out)
}

func (a *apiServer) answer(resp *http.Response, path string, out any) error {
	resource := path[strings.LastIndexByte(path, '/')+1:]
	switch resp.StatusCode {
	case http.StatusOK, http.StatusCreated:
		content, err := readBody(resp, maxDocument)
		if err != nil {
			return &retryableError{fmt.Errorf("%s: %w", resource, err)}
		}
		if err := json.Unmarshal(content, out); err != nil {
			return fmt.Errorf("%s: answer is not the JSON of a review", resource)
		}
		return nil
	case http.StatusUnauthorized:
		a.unaccepted.Do(func() {
			a.options.Log.Error("kubernetes API does not accept the gate's own token",
				"err", fmt.Sprintf("%s: status %d with the token of %s", resource, resp.StatusCode,
					a.options.TokenFile),
				"advice", "see that it is a live service account token of this cluster")
		})
		return fmt.Errorf("%s: status %d for the gate's own token", resource, resp.StatusCode)
	case http.StatusForbidden:
		a.forbidden.Do(func() {
			a.options.Log.Error("kubernetes API forbids the gate to ask",
				"err", fmt.Sprintf("%s: status %d; RBAC lacks the verb create on %s", resource, resp.StatusCode,
					resource),
				"advice", "bind the ClusterRole system:auth-delegator to its service account")
		})
		return fmt.Errorf("%s: status %d; the gate lacks the RBAC verb create on it", resource, resp.StatusCode)
	}
	err := fmt.Errorf("%s: unexpected status %d", resource, resp.StatusCode)
	if resp.StatusCode >= http.StatusInternalServerError {
		return &retryableError{err}
	}
	return err
}

// close closes idle connections; a later call opens new ones.
func (a *apiServer) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.client.CloseIdleConnections()
}

// readBody returns resp's body of at most limit bytes. Some servers send gzip even when they
// are asked for identity; then the limit counts the decompressed bytes too.
func readBody(resp *http.Response, limit int64) ([]byte, error) {
	var body io.Reader = io.LimitReader(resp.Body, limit+1)
	switch encoding := strings.ToLower(resp.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		body = io.LimitReader(unzipped, limit+1)
	default:
		return nil, fmt.Errorf("content encoding %q, want none or gzip", clip(encoding))
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("more than %d bytes", limit)
	}
	return data, nil
}

// withoutURL returns what went wrong in a request, for an error that names its URL already.
func withoutURL(err error) error {
	var request *url.Error
	if errors.As(err, &request) {
		return request.Err
	}
	return err
}
