package hostile_test

import (
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// The gate releases the memory that only its start needs. make soak measures the memory
// after a long attack.
func TestStartupMemoryIsReleased(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	resident := func() float64 { return w.gate.Metrics(t)["process_resident_memory_bytes"] }
	const idle = 13 << 20 // without the release the program's own pages exceed it
	harness.Eventually(t, "memory of the start given back", func() bool { return resident() < idle })
	expect(t, w.scrape(t), 200)
}
