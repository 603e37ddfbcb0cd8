//go:build !race

package server_test

import "testing"

// TestRepeatedScrapeAllocates counts what a scrape allocates from its request to the end of
// its answer, in client, gate and runner together. Of these, crypto/tls has six. The race detector
// allocates too.
func TestRepeatedScrapeAllocates(t *testing.T) {
	r := newRepeater(t)
	if n := testing.AllocsPerRun(200, func() { r.scrape(t) }); n > 18 {
		t.Errorf("%v allocations", n)
	}
}
