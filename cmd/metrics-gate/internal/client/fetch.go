// Package client is a client of a gate or of what stands around it: credentials in
// files, no redirects, no proxies, bounded answers.
package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// Request says what fetch asks for.
type Request struct {
	URL       string
	UserAgent string
	Limit     int64 // most bytes of the answer's body
}

// Fetch reads the answer and its body; a body over the limit is an error.
func Fetch(ctx context.Context, client *http.Client, g Request) (*http.Response, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, g.URL, nil)
	if err != nil {
		return nil, nil, cli.HideErrorURL(err)
	}
	request.Header.Set("User-Agent", g.UserAgent)
	response, err := client.Do(request)
	if err != nil {
		return nil, nil, cli.HideErrorURL(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, g.Limit+1))
	if err == nil && int64(len(body)) > g.Limit {
		err = fmt.Errorf("answer larger than %d bytes", g.Limit)
	}
	return response, body, err
}

// New asks without proxies, redirects and kept connections.
func New(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout:       timeout,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
