package winservice

import (
	"context"
	"errors"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/windows/svc"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

func TestControlLoop(t *testing.T) {
	var got []string
	var log events
	s := &service{events: &log, start: func() (*gate, error) {
		return &gate{stopTime: time.Second, run: func(ctx context.Context, signals <-chan os.Signal) error {
			if sig := <-signals; sig == syscall.SIGHUP {
				got = append(got, "reload")
			}
			<-ctx.Done()
			got = append(got, "drain")
			return nil
		}}, nil
	}}
	asked := []svc.Cmd{svc.Interrogate, svc.ParamChange, svc.Stop}
	var hint uint32
	requests := make(chan svc.ChangeRequest)
	status := make(chan svc.Status, 8)
	go func() {
		for _, cmd := range asked {
			requests <- svc.ChangeRequest{Cmd: cmd, CurrentStatus: svc.Status{State: svc.Running}}
		}
	}()
	_, code := s.Execute(nil, requests, status)
	close(status)
	var states []svc.State
	for now := range status {
		states = append(states, now.State)
		hint = now.WaitHint
	}
	want := []svc.State{svc.StartPending, svc.Running, svc.Running, svc.StopPending}
	if code != 0 || s.err != nil || !slices.Equal(states, want) || len(log.list) != 0 {
		t.Errorf("code %d, error %v, states %v, events %q", code, s.err, states, log.list)
	}
	if !slices.Equal(got, []string{"reload", "drain"}) || hint != 6000 {
		t.Errorf("the gate did %q; wait hint %d ms", got, hint)
	}
}

func TestEndsOfTheService(t *testing.T) {
	fails := errors.New("listener: closed")
	bad := &cli.ConfigError{Thing: "METRICS_GATE_LINGER", Value: "x", Wrong: "no duration", Advice: "write 1s"}
	for name, test := range map[string]struct {
		start, run error
		code       uint32
		event      string
	}{
		"bad settings": {start: bad, code: 2, event: "error 3 metrics-gate: METRICS_GATE_LINGER \"x\": " +
			"no duration\n  write 1s"},
		"fails to start":   {start: fails, code: 1, event: "error 3 metrics-gate: listener: closed"},
		"fails to run":     {run: fails, code: 1, event: "error 3 metrics-gate: listener: closed"},
		"ends without one": {},
	} {
		t.Run(name, func(t *testing.T) {
			var log events
			s := &service{events: &log, start: func() (*gate, error) {
				return &gate{run: func(context.Context, <-chan os.Signal) error { return test.run }}, test.start
			}}
			_, code := s.Execute(nil, nil, make(chan svc.Status, 8))
			if code != test.code || (test.event == "") != (len(log.list) == 0) {
				t.Errorf("code %d, events %q", code, log.list)
			}
			if test.event != "" && !slices.Equal(log.list, []string{test.event}) {
				t.Errorf("events %q, want %q", log.list, test.event)
			}
		})
	}
}
