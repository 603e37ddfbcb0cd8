// Package testwait waits in tests for what other goroutines bring about.
package testwait

import (
	"testing"
	"time"
)

// longest is the most that a test waits for anything.
const longest = 20 * time.Second

// Eventually returns as soon as done does, and fails the test if it does not within 20 s.
func Eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.NewTimer(longest)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("no %s within %s", what, longest)
		}
	}
}
