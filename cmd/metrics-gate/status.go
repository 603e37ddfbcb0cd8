package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/proxy"
)

// status is the page for people at / of the admin listener, on loopback only. What a
// client could have put into it (its name) is escaped by html/template; scripts there
// are none, and the policy in the header would run none.
type status struct {
	config   *config
	started  time.Time
	ready    func(time.Time) error
	recent   func() []proxy.Scrape
	upstream func() (up bool, since time.Time)
	expiry   func(time.Time) []expiryReport
	gatherer prometheus.Gatherer
	listen   string
	log      *slog.Logger
	now      func() time.Time
	page     func() *template.Template // parsed when it is first asked for: most gates never are
	policy   string
}

// newStatus shows s.
func newStatus(s *server, gatherer prometheus.Gatherer) http.Handler {
	return (&status{
		config: s.config, started: time.Now(), ready: s.state.ready,
		recent: s.gate.observer.Recent, upstream: s.gate.observer.Upstream,
		expiry:   func(now time.Time) []expiryReport { return expiries(s.gate.tls, now) },
		gatherer: gatherer, listen: s.listener.Addr().String(), log: s.log, now: time.Now,
	}).prepare()
}

// prepare declares the page and names its only style in the policy.
func (s *status) prepare() *status {
	s.page = sync.OnceValue(func() *template.Template {
		return template.Must(template.New("status").Funcs(template.FuncMap{
			"style": func() template.CSS { return statusStyle },
			"ago":   func(t time.Time) string { return span(s.now().Sub(t)) + " ago" },
			"span":  span,
			"stamp": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
			"short": func(name string) string { return strings.TrimPrefix(name, prefix) },
		}).Parse(statusPage))
	})
	sum := sha256.Sum256([]byte(statusStyle))
	s.policy = fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
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
		err = s.page().Execute(&body, report)
	}
	if err != nil {
		s.log.Error("status page", "err", err)
		plain(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Security-Policy", s.policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(body.Bytes())
}

// span says how long d is, in the largest unit that tells.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + span(-d)
	case d < time.Second:
		return fmt.Sprintf("%.3g ms", float64(d)/float64(time.Millisecond))
	case d < 2*time.Minute:
		return fmt.Sprintf("%.3g s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
