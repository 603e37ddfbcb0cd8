package proxy

import "github.com/metrics-gate/metrics-gate/proxy/upstream"

// Refusal is why the gate itself refuses a request or cuts its answer. Its String is the
// value of the log attribute "reason".
type Refusal uint8

// The refusals. Refusals is how many there are.
const (
	RefusedRate    Refusal = iota // 429: the identity sends too many requests
	RefusedBusy                   // 503: too many exchanges at one time
	RefusedProfile                // 503: another profile runs
	RefusedSlow                   // cut: the client takes nothing
	RefusedLeft                   // cut: the client left
	Refusals
)

// String returns the name of r, such as "busy".
func (r Refusal) String() string { return r.entry().name }

// Advice says what an operator can do, or is empty. It names variables of the gate.
func (r Refusal) Advice() string { return r.entry().advice }

type refusalEntry struct{ name, advice string }

// entry is the one table of refusals.
func (r Refusal) entry() refusalEntry {
	return [Refusals]refusalEntry{
		RefusedRate: {"too many requests",
			"scrape less often, or raise METRICS_GATE_RATE_LIMIT and METRICS_GATE_RATE_BURST"},
		RefusedBusy: {"busy", "raise METRICS_GATE_MAX_IN_FLIGHT, or find out why the runner is slow"},
		RefusedProfile: {
			"another profile runs", "one CPU profile or trace runs at a time: try again when it has ended",
		},
		RefusedSlow: {"slow", "the scraper takes nothing: look at its load and at the network between"},
		RefusedLeft: {"left", ""},
	}[r]
}

// AdviceFor returns the advice for a log attribute "reason", which a Refusal or an
// upstream.Reason of the runner at address (host:port) has named. It is empty for others.
func AdviceFor(reason, address string) string {
	for r := range Refusals {
		if r.String() == reason {
			return r.Advice()
		}
	}
	for r := range upstream.Reasons {
		if r.String() == reason {
			return r.Advice(address)
		}
	}
	return ""
}
