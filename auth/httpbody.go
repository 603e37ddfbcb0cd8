package auth

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

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
