// Package status is the status page of the admin listener, and its JSON.
package status

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/expiry"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/loopback"
	"github.com/metrics-gate/metrics-gate/proxy"
)

// status is the page for people at / of the admin listener, on loopback only.
type status struct {
	Options
	started time.Time
	now     func() time.Time
	policy  string
}

// Options are what the page shows. All are needed.
type Options struct {
	Config     *config.Config
	Version    string
	Listen     string                     // address of the public listener
	RunnerName func() string              // in effect
	Ready      func(time.Time) error      // nil, or why the gate is not ready
	Recent     func() []proxy.Scrape      // the last scrapes, newest first
	Scrapers   func() []proxy.Scraper     // who scrapes
	Upstream   func() proxy.UpstreamState // of the last exchange
	Reloads    func() []Reload            // of each set of files
	Refusals   *Refusals                  // the last refusals
	Expiry     func(time.Time) []expiry.Entry
	Gatherer   prometheus.Gatherer // the gate's own metrics
	Log        *slog.Logger
}

// New makes the page.
func New(o Options) http.Handler {
	return (&status{Options: o, started: time.Now(), now: time.Now}).prepare()
}

// prepare names the page's only style in the policy.
func (s *status) prepare() *status {
	sum := sha256.Sum256([]byte(style))
	s.policy = fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'; "+
		"frame-ancestors 'none'",
		base64.StdEncoding.EncodeToString(sum[:]))
	return s
}

// ServeHTTP answers with HTML, or with the same as JSON when that is what is accepted.
func (s *status) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	report, err := s.report()
	var body bytes.Buffer
	contentType := "text/html; charset=utf-8"
	switch {
	case err != nil:
	case strings.HasPrefix(r.Header.Get("Accept"), "application/json"):
		contentType = "application/json"
		err = json.NewEncoder(&body).Encode(report)
	default:
		err = page{report}.document().Render(&body)
	}
	if err != nil {
		s.Log.Error("status page failed", "remote", r.RemoteAddr, "err", err)
		loopback.Plain(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Security-Policy", s.policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	_, _ = w.Write(body.Bytes())
}

// AcceptJSON asks for the report as JSON.
type AcceptJSON struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t AcceptJSON) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Accept", "application/json")
	return t.RoundTripper.RoundTrip(r)
}
