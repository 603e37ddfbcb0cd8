// Package status is the status page of the admin listener, and its JSON.
package status

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
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

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/expiry"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/loopback"
	"github.com/metrics-gate/metrics-gate/proxy"
)

// statusStyle is the page's only style; the policy names it by its digest.
//
//go:embed style.css
var statusStyle string

// statusPage is the page. Every value goes through html/template's escapes.
//
//go:embed page.html
var statusPage string

// status is the page for people at / of the admin listener, on loopback only. What a
// client could have put into it (its name) is escaped by html/template; scripts there
// are none, and the policy in the header would run none.
type status struct {
	Options
	started time.Time
	now     func() time.Time
	page    func() *template.Template // parsed on first use: most gates never show the page
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

// prepare declares the page and names its only style in the policy.
func (s *status) prepare() *status {
	s.page = sync.OnceValue(func() *template.Template {
		return template.Must(template.New("status").Funcs(template.FuncMap{
			"style":   func() template.CSS { return template.CSS(statusStyle) },
			"ago":     func(t time.Time) string { return cli.HumanDuration(s.now().Sub(t)) + " ago" },
			"seconds": func(n float64) string { return cli.HumanDuration(time.Duration(n * float64(time.Second))) },
			"late":    func(c Scraper) bool { return c.Late(s.now()) },
			"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
			"stamp":   stamp,
			"short":   func(name string) string { return strings.TrimPrefix(name, config.Prefix) },
			"pieces":  pieces,
		}).Parse(statusPage))
	})
	sum := sha256.Sum256([]byte(statusStyle))
	s.policy = fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'; "+
		"frame-ancestors 'none'",
		base64.StdEncoding.EncodeToString(sum[:]))
	return s
}

// pieces cuts a name where a narrow page may break it: behind each run of separators.
func pieces(name string) []string {
	var list []string
	isSeparator := func(c byte) bool { return strings.IndexByte("/:.,;=@_-|?&", c) >= 0 }
	isDigit := func(c byte) bool { return '0' <= c && c <= '9' } // no address is broken
	start := 0
	for i := 1; i < len(name); i++ {
		if isSeparator(name[i-1]) && !isSeparator(name[i]) && !isDigit(name[i]) {
			list = append(list, name[start:i])
			start = i
		}
	}
	return append(list, name[start:])
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
