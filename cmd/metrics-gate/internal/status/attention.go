package status

import (
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/proxy"
)

// findings lists what wants attention, what fails first.
func (r *Report) findings() []cli.Finding {
	fail, warn := []cli.Finding{}, []cli.Finding{}
	if r.NotReady != "" {
		fail = append(fail, cli.Fail("see the gate's log", "not ready: %s", r.NotReady))
	}
	if r.Runner.State == "down" {
		fail = append(fail, cli.Fail(proxy.AdviceFor(r.Runner.Reason), "runner down: %s", r.Runner.Err))
	}
	for _, reload := range r.Reloads {
		if reload.Failing {
			fail = append(fail, cli.Fail("correct the file; metrics-gate check tries it",
				"reload of %s refused, the old state stays: %s", reload.What, reload.Err))
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
			warn = append(warn, cli.Warn("raise "+l.Variable, "limits: %s: %s of %s", l.What, l.Now, l.Most))
		}
	}
	for _, s := range r.Scrapers {
		if s.Late(r.At) {
			warn = append(warn, cli.Warn("see whether it runs, and metrics-gate doctor --prometheus",
				"scraper %s at %s: no scrape for %s", s.Subject, s.Address, cli.HumanDuration(r.At.Sub(s.Latest.At))))
		}
	}
	return append(fail, warn...)
}
