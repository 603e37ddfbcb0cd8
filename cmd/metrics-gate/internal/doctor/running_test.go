package doctor

import (
	"slices"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/status"
)

// Doctor's own refusals on a new gate are no failure; those of another machine are.
func TestDoctorLeavesItsOwnRefusalsOut(t *testing.T) {
	for remote, want := range map[string]int{"127.0.0.1:4000": 0, "192.0.2.9:4000": 1} {
		r := &status.Report{At: time.Now(), Refused: []status.Refusal{{Times: 1, Remote: remote, At: time.Now()}}}
		nobody, ok := r.NobodyGetsIn()
		r.Findings = []cli.Finding{nobody}
		if found := patient(t).attention(r); !ok || len(found) != want {
			t.Errorf("%s: %+v", remote, found)
		}
	}
}

// What the files say already is not said again of the running gate.
func TestDoctorSaysAFactOnce(t *testing.T) {
	expires := cli.Warn("renew it", "server CN=a expires on 2027-01-01 (1 day)")
	running := []cli.Finding{cli.Warn("renew it", runningGate+"%s", expires.What), cli.Fail("do", runningGate+"else")}
	found := notSaid(slices.Clone(running), []cli.Finding{expires})
	if len(found) != 1 || found[0].What != runningGate+"else" {
		t.Errorf("%+v", found)
	}
}
