package main

import (
	"fmt"
	"os"
	"runtime"
	"testing"
)

// bench implements the part of testing.TB that the harness uses.
type bench struct {
	testing.TB
	failed   bool
	cleanups []func()
}

// run runs f and the cleanups, and reports whether nothing failed.
func (b *bench) run(f func()) bool {
	done := make(chan struct{})
	go func() { // Fatal ends this goroutine
		defer close(done)
		f()
	}()
	<-done
	for i := len(b.cleanups) - 1; i >= 0; i-- {
		b.cleanups[i]()
	}
	return !b.failed
}

func (b *bench) Helper()                 {}
func (b *bench) Failed() bool            { return b.failed }
func (b *bench) Cleanup(f func())        { b.cleanups = append(b.cleanups, f) }
func (b *bench) Logf(f string, a ...any) { fmt.Fprintf(os.Stderr, f+"\n", a...) }

// Errorf implements testing.TB.
func (b *bench) Errorf(f string, a ...any) {
	b.failed = true
	fmt.Fprintf(os.Stderr, "FAILED: "+f+"\n", a...)
}

// Fatal implements testing.TB.
func (b *bench) Fatal(a ...any) {
	b.Errorf("%s", fmt.Sprint(a...))
	runtime.Goexit()
}

// Fatalf implements testing.TB.
func (b *bench) Fatalf(f string, a ...any) {
	b.Errorf(f, a...)
	runtime.Goexit()
}

// TempDir implements testing.TB.
func (b *bench) TempDir() string {
	dir, err := os.MkdirTemp("", "metrics-gate-soak-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
