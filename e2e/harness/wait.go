package harness

import (
	"errors"
	"testing"
	"time"
)

// Poll calls try until it returns nil or until within has passed, and returns its last error.
func Poll(within time.Duration, try func() error) error {
	for deadline := time.Now().Add(within); ; {
		if err := try(); err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(10 * time.Millisecond) //permit:time.Sleep the only loop that polls
	}
}

// Eventually waits until good returns true. It fails the test after 30 s.
func Eventually(t testing.TB, what string, good func() bool) {
	t.Helper()
	err := Poll(30*time.Second, func() error {
		if good() {
			return nil
		}
		return errors.New("not yet")
	})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
