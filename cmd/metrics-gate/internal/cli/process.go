// Package cli is what every command of metrics-gate has in common: its declaration and
// help, the process around it, configuration errors, findings, exit codes and JSON. It
// knows no variable and no command.
package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Process is what a command has of the outside world.
type Process struct {
	Environ        []string // "NAME=value" each
	Stdout, Stderr io.Writer
	JSONErrors     bool // errors are JSON, not text: see Report
	Build          Build
	Signals        <-chan os.Signal // SIGHUP, SIGINT, SIGTERM; commands use TakeSignals

	taken atomic.Pointer[chan os.Signal] // where the signals go once a command has taken them
}

// Getenv returns the last value of a variable; empty if it is not set.
func (p *Process) Getenv(name string) (value string) {
	for _, entry := range p.Environ {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			value = v
		}
	}
	return value
}

// TakeSignals hands all further signals to the command, which must end itself from here on.
func (p *Process) TakeSignals() <-chan os.Signal {
	own := make(chan os.Signal, 4)
	p.taken.Store(&own)
	return own
}

// endGrace is the time a command has to return after its context is canceled by a signal.
const endGrace = time.Second

// errInterrupted says that a signal ended the command.
var errInterrupted = errors.New("interrupted")

// Run carries c out. The first SIGINT, SIGTERM or SIGHUP cancels its context; a command
// that does not return soon, because a system call blocks it, is left behind. A command
// that reloads ignores SIGHUP until it takes the signals.
func (p *Process) Run(ctx context.Context, c Command, args []string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- c.execute(ctx, p, args) }()
	for {
		select {
		case err := <-done:
			return err
		case sig := <-p.Signals:
			if own := p.taken.Load(); own != nil {
				*own <- sig
				continue
			}
			if sig == syscall.SIGHUP && c.Reloads {
				continue
			}
			cancel()
			return p.ended(done)
		}
	}
}

// ended waits for a canceled command: until endGrace, or another signal.
func (p *Process) ended(done <-chan error) error {
	grace := time.NewTimer(endGrace)
	defer grace.Stop()
	select {
	case err := <-done:
		if errors.Is(err, context.Canceled) {
			return errInterrupted
		}
		return err
	case <-p.Signals:
	case <-grace.C:
	}
	return errInterrupted
}
