package status

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/expiry"
	"github.com/metrics-gate/metrics-gate/proxy"
)

// findings lists what wants attention, what fails first.
func (r *Report) findings() []cli.Finding {
	fail, warn := []cli.Finding{}, []cli.Finding{}
	for _, e := range r.Expiry {
		found := expiry.Findings([]expiry.Entry{e})
		if e.Expired() {
			found[0].Level = cli.LevelFail
			fail = append(fail, found...)
			continue
		}
		warn = append(warn, found...)
	}
	if r.NotReady != "" && !slices.ContainsFunc(r.Expiry, expiry.Entry.ExpiredServer) { // which says the same
		fail = append(fail, cli.Fail(cmp.Or(r.notReadyDo, "see the gate's log"), "not ready: %s", r.NotReady))
	}
	if r.Runner.State == "down" {
		fail = append(fail, cli.Fail(proxy.AdviceFor(r.Runner.Reason, r.address), "runner down: %s", r.Runner.Err))
	}
	if f, ok := r.NobodyGetsIn(); ok {
		fail = append(fail, f)
	}
	for _, reload := range r.Reloads {
		if reload.Failing {
			fail = append(fail, cli.Fail(reload.Advice, "reload of %s refused, the old state stays: %s", reload.What,
				reload.Err))
		}
	}
	for _, issuer := range r.Issuers {
		if issuer.Keys.IsZero() {
			fail = append(fail, cli.Fail("metrics-gate doctor asks the issuer as the gate does",
				"issuer %s: keys never fetched, its tokens are refused", issuer.Issuer))
		}
	}
	for _, l := range r.Limits {
		if l.Near() {
			warn = append(warn, cli.Warn("raise "+l.Variable, "limits: %s: %s", l.What, l))
		}
	}
	for _, s := range r.Scrapers {
		if f, ok := r.missing(s); ok {
			warn = append(warn, f)
		}
	}
	return append(fail, warn...)
}

// missing tells of a scraper that used to come: it is refused, or it does not come.
func (r *Report) missing(s Scraper) (cli.Finding, bool) {
	what := fmt.Sprintf("scraper %s at %s: no scrape for %s", s.Subject, s.Address,
		cli.HumanDuration(r.At.Sub(s.Latest.At)))
	if refusal, ok := r.refusedSince(s); ok && (s.Late(r.At) || s.overdue(r.At)) {
		return cli.Warn(cmp.Or(refusal.Advice, "see the last refusals below"),
			"%s, its address is refused: %s: %s (%s since %s)", what, refusal.Message,
			cmp.Or(refusal.Err, refusal.Reason), times(refusal.Times, "time"), stamp(refusal.First)), true
	}
	if !s.Late(r.At) {
		return cli.Finding{}, false
	}
	return cli.Warn("see whether it runs, and metrics-gate doctor --prometheus", "%s, after %s", what,
		times(s.Scrapes, "scrape")), true
}

// refusedSince is the latest refusal of the scraper's address after its last scrape, which may have
// been refused itself.
func (r *Report) refusedSince(s Scraper) (latest Refusal, ok bool) {
	address := host(s.Latest.Remote)
	after := s.Latest.At.Add(time.Duration(s.Latest.Duration*float64(time.Second)) + time.Second)
	for _, refusal := range r.Refused {
		if refusal.host == address && refusal.At.After(after) && refusal.At.After(latest.At) {
			latest, ok = refusal, true
		}
	}
	return latest, ok
}

// quietTime is how long no request was allowed until refusals mean that nobody gets in. Otherwise
// they may be one client's.
const quietTime = 5 * time.Minute

// NobodyGetsIn tells of refusals while no request is allowed; false if there are none, or one was
// allowed lately.
func (r *Report) NobodyGetsIn() (cli.Finding, bool) {
	since := "no request was allowed since the start"
	if !r.Allowed.IsZero() {
		if r.At.Sub(r.Allowed) < quietTime {
			return cli.Finding{}, false
		}
		since = "no request was allowed since " + stamp(r.Allowed)
	}
	var refused int64
	var first time.Time
	var last Refusal
	for _, refusal := range r.Refused {
		if refusal.At.Before(r.Allowed) {
			continue
		}
		refused += refusal.Times
		if first.IsZero() || refusal.First.Before(first) {
			first = refusal.First
		}
		if refusal.At.After(last.At) {
			last = refusal
		}
	}
	if refused == 0 {
		return cli.Finding{}, false
	}
	do := last.Advice
	if do == "" {
		do = "see the last refusals below"
	}
	return cli.Fail(do, "%s: %s since %s, the last from %s: %s", since, times(refused, "refusal"), stamp(first),
		host(last.Remote), cmp.Or(last.Reason, last.Message)), true
}

// times is n of what, in words.
func times(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// stamp is t for a person.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 MST") }
