package harness

import (
	"bytes"
	"errors"
	"sync"
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

// Buffer is a bytes.Buffer that is safe for concurrent use, for the output of a process.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends p. It never fails.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String returns everything written so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
