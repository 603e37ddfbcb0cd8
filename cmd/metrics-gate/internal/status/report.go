package status

import (
	"errors"
	"slices"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/expiry"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// Report is everything on the page, and its JSON. Times are UTC.
type Report struct {
	At       time.Time            `json:"at"`
	Version  string               `json:"version"`
	Started  time.Time            `json:"started"`
	NotReady string               `json:"not_ready,omitempty"` // why; empty when ready
	Findings []cli.Finding        `json:"findings"`            // what wants attention, what fails first
	Listen   string               `json:"listen"`
	TLS      bool                 `json:"tls"`
	Upstream string               `json:"upstream"`
	Runner   runnerStatus         `json:"runner"`
	Label    string               `json:"label"`
	Conflict string               `json:"conflict"`
	Methods  []string             `json:"authentication"`
	Rights   []config.RouteRights `json:"authorization"`
	Allowed  time.Time            `json:"last_allowed,omitzero"` // the latest allowed request; zero: none
	Scrapers []Scraper            `json:"scrapers"`
	Scrapes  []Scrape             `json:"scrapes"`
	Refused  []Refusal            `json:"last_refusals"`
	Refusals []count              `json:"refusals"`
	Reloads  []Reload             `json:"reloads"`
	Limits   []limitStatus        `json:"limits"`
	Expiry   []expiry.Entry       `json:"expiry"` // what expires first is first
	Issuers  []issuerStatus       `json:"issuers,omitempty"`

	notReadyDo string // what to do about NotReady
	address    string // of the runner, host:port
}

// runnerStatus tells of the last exchange with the runner.
type runnerStatus struct {
	Name    string    `json:"name"`
	Version string    `json:"version,omitempty"` // as its metrics state it; empty: not seen yet
	State   string    `json:"state"`             // up, down, or not asked yet
	Since   time.Time `json:"since,omitzero"`
	Reason  string    `json:"reason,omitempty"` // why it is down
	Err     string    `json:"err,omitempty"`
}

// Reload is what became of the reloads of one set of files.
type Reload struct {
	What    string    `json:"what"`
	Loaded  time.Time `json:"loaded,omitzero"` // when a changed set was loaded last; zero: not since the start
	Err     string    `json:"err,omitempty"`   // the last error since the start
	Advice  string    `json:"advice,omitempty"`
	ErrAt   time.Time `json:"err_at,omitzero"`
	Failing bool      `json:"failing"` // the set as it is now is refused, and an older state is in use
}

// report gathers what is to be seen now.
func (s *status) report() (*Report, error) {
	families, err := s.Gatherer.Gather()
	if err != nil {
		return nil, err
	}
	now := s.now()
	r := &Report{
		At: now.UTC(), Version: s.Version, Started: s.started.UTC(), Listen: s.Listen,
		TLS: !s.Config.TLS.InsecureHTTP, Upstream: cli.HideSecrets(s.Config.Upstream.URL.String()),
		Runner: s.runner(), Label: s.Config.Label.Name, Conflict: s.Config.Label.Conflict.String(),
		Methods: s.Config.MethodNames(), Rights: s.Config.Rights(), Scrapers: scrapersOf(s.Scrapers()),
		Refused: s.Refusals.Latest(), Refusals: refusals(families), Reloads: s.Reloads(), Expiry: s.Expiry(now),
		Issuers: issuerKeys(families), Allowed: lastAllowed(families),
		address: s.Config.Upstream.URL.Address.String(),
	}
	slices.SortStableFunc(r.Expiry, func(a, b expiry.Entry) int { return a.NotAfter.Compare(b.NotAfter) })
	if err := s.Ready(now); err != nil {
		r.NotReady = err.Error()
		if f, ok := errors.AsType[*cli.Failure](err); ok {
			r.notReadyDo = f.Advice
		}
	}
	scrapes := s.Recent()
	r.Scrapes = []Scrape{}
	for _, scrape := range scrapes {
		r.Scrapes = append(r.Scrapes, scrapeOf(scrape))
	}
	r.Limits = s.limits(families, scrapes)
	r.Findings = r.findings()
	return r, nil
}

func (s *status) runner() runnerStatus {
	up := s.Upstream()
	runner := runnerStatus{Name: s.RunnerName(), Version: up.Version, State: "not asked yet", Since: up.Since.UTC()}
	switch {
	case up.Since.IsZero():
	case up.Up:
		runner.State = "up"
	default:
		runner.State = "down"
		runner.Reason, runner.Err = upstream.ReasonOf(up.Err).String(), shortened(up.Err.Error())
	}
	return runner
}

// ExpiresFirst is what expires first; nil: nothing does.
func (r *Report) ExpiresFirst() *expiry.Entry {
	if len(r.Expiry) == 0 {
		return nil
	}
	return &r.Expiry[0]
}
