package proxy

import (
	"net/http"
	"slices"
	"sync"
	"time"
	"unicode/utf8"
)

// historySize is how many scrapes an Observer keeps.
const historySize = 32

// maxText is how many bytes an Observer keeps of a name or an error. A client or the runner may have
// chosen it.
const maxText = 512

// DoctorAgent ends the User-Agent of metrics-gate doctor, which may ask as a scraper does.
const DoctorAgent = " (doctor)"

// Scrape is one answered request for the runner's metrics.
type Scrape struct {
	Identity string        // tells identities apart
	Who      string        // the name of the identity
	Digest   string        // tells tokens of one identity apart; empty: there is none
	Remote   string        // address and port of the peer
	At       time.Time     // when the request came
	Duration time.Duration // until the last byte was written to the connection
	Samples  int64         // labelled samples in the answer
	Bytes    int64         // of the body as it was sent, encoded
	Format   string        // media type of the body; empty: it failed
	Encoding string        // content coding of the body: identity, gzip or zstd; empty: it failed
	Code     int           // HTTP status; 0: cut short
	Doctor   bool          // a visit by metrics-gate doctor, which is no scraper
	Shared   bool          // answered by an exchange that another request started
	Reason   string        // why it failed: an upstream.Reason or a Refusal; empty: it did not
	Err      string        // the error of a failure; it may quote the runner's answer
}

// Good reports whether the scraper got a whole answer.
func (s *Scrape) Good() bool { return s.Code == http.StatusOK }

// history holds the latest scrapes, who scrapes, and the state of the upstream.
type history struct {
	mu       sync.Mutex
	scrapes  [historySize]Scrape
	total    int
	scrapers []Scraper
	upstream UpstreamState
}

// UpstreamState is what is known of the runner.
type UpstreamState struct {
	Up      bool      // the last exchange gave a valid exposition
	Since   time.Time // when Up last changed; zero: no exchange yet
	Err     error     // why the last exchange failed; nil: it did not
	Version string    // as the runner's exposition states it; empty: not seen yet
}

// Recent returns the latest scrapes, newest first.
func (o *Observer) Recent() []Scrape {
	o.history.mu.Lock()
	defer o.history.mu.Unlock()
	n := min(o.history.total, historySize)
	list := make([]Scrape, 0, n)
	for i := range n {
		list = append(list, o.history.scrapes[(o.history.total-n+i)%historySize])
	}
	slices.Reverse(list)
	return list
}

// Upstream returns the state of the upstream.
func (o *Observer) Upstream() UpstreamState {
	o.history.mu.Lock()
	defer o.history.mu.Unlock()
	return o.history.upstream
}

// SetRunnerVersion stores the version of the runner, as its exposition has it.
func (o *Observer) SetRunnerVersion(version string) {
	if o == nil {
		return
	}
	o.history.mu.Lock()
	defer o.history.mu.Unlock()
	o.history.upstream.Version = version
}

// AddScrape records a request for the metrics. Of a long name or error it keeps the beginning.
func (o *Observer) AddScrape(s Scrape) {
	if o == nil {
		return
	}
	s.Who, s.Err = clip(s.Who), clip(s.Err)
	o.history.mu.Lock()
	defer o.history.mu.Unlock()
	o.history.scrapes[o.history.total%historySize] = s
	o.history.total++
	if !s.Doctor {
		o.history.addScraper(&s)
	}
}

// clip returns s, or the beginning of one that is longer than maxText.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
