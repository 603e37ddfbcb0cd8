package hostile_test

import (
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// What only the start needed goes back to the system, and the gate goes on without it. The
// full return after hours of attacks is measured by make soak.
func TestStartupMemoryIsReleased(t *testing.T) {
	t.Parallel()
	w := newWorld(t, harness.AnswerExposition(sample))
	resident := func() float64 { return w.gate.Metrics(t)["process_resident_memory_bytes"] }
	const idle = 13 << 20 // the pages of the program alone are as many before
	harness.Eventually(t, "memory of the start given back", func() bool { return resident() < idle })
	demand(t, w.scrape(t), 200)
}
