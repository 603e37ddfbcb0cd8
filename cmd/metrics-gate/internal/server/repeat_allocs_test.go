//go:build !race

package server_test

import (
	"runtime"
	"testing"
)

// TestRepeatedScrapeAllocates counts what a scrape allocates from its request to the end of its
// answer, in client, gate and runner together. The race detector allocates too.
func TestRepeatedScrapeAllocates(t *testing.T) {
	r := newRepeater(t)
	const runs, mostBytes, mostAllocations = 200, 600, 18
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		r.scrape(t)
	}
	runtime.ReadMemStats(&after)
	bytes, allocations := (after.TotalAlloc-before.TotalAlloc)/runs, (after.Mallocs-before.Mallocs)/runs
	if bytes > mostBytes || allocations > mostAllocations {
		t.Errorf("%d bytes in %d allocations", bytes, allocations)
	}
}
