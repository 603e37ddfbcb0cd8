package gate

import (
	"os"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// Every value of the log field "reason" has its row in the documentation.
func TestReasonsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	reasons := []string{auth.ReasonNone, auth.ReasonBad, auth.ReasonExpired, auth.ReasonRevoked, auth.ReasonUnknown,
		auth.ReasonThrottled, auth.ReasonUnavailable}
	for r := range upstream.Reasons {
		reasons = append(reasons, r.String())
	}
	for r := range proxy.Refusals {
		reasons = append(reasons, r.String())
	}
	for r := range handshakeReasons {
		reasons = append(reasons, r.String())
	}
	for _, reason := range reasons {
		if strings.Count(string(page), "\n| `"+reason+"` | ") != 1 {
			t.Errorf("docs/operations.md does not explain the reason %q", reason)
		}
	}
}
