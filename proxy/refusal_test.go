package proxy

import (
	"testing"

	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

func TestReasonsHaveOneNameEach(t *testing.T) {
	seen := map[string]bool{"": true}
	check := func(name, advice string) {
		if seen[name] {
			t.Errorf("%q twice", name)
		}
		seen[name] = true
		if got := AdviceFor(name, "h:1"); got != advice {
			t.Errorf("%s: advice %q, want %q", name, got, advice)
		}
	}
	for r := range Refusals {
		check(r.String(), r.Advice())
	}
	for r := range upstream.Reasons {
		check(r.String(), r.Advice("h:1"))
	}
	if got := AdviceFor("no such reason", "h:1"); got != "" {
		t.Errorf("unknown: %q", got)
	}
}
