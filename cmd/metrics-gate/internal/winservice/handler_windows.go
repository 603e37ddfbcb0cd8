package winservice

import (
	"context"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/windows/svc"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

const (
	startTime = 30 * time.Second // to read files and ask an issuer once
	stopGrace = 5 * time.Second  // in addition to what linger and drain may take
)

// gate is a gate that is ready to serve.
type gate struct {
	run      func(context.Context, <-chan os.Signal) error
	stopTime time.Duration // how long it may serve after its context ends
}

// service is a svc.Handler.
type service struct {
	start  func() (*gate, error)
	events eventLog
	err    error // why the service ended; nil if it was stopped and nothing was cut
}

// Execute implements svc.Handler: stop and shutdown end the context of the gate, which
// drains; a parameter change is SIGHUP. The exit code is that of the command.
func (s *service) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (bool, uint32) {
	status <- svc.Status{State: svc.StartPending, WaitHint: milliseconds(startTime)}
	g, err := s.start()
	if err != nil {
		return s.ended(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	signals := make(chan os.Signal, 1)
	done := make(chan error, 1)
	go func() { done <- g.run(ctx, signals) }()
	status <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown | svc.AcceptParamChange}
	for {
		select {
		case err := <-done:
			return s.ended(err)
		case request := <-requests:
			switch request.Cmd {
			case svc.Interrogate:
				status <- request.CurrentStatus
			case svc.ParamChange:
				select {
				case signals <- syscall.SIGHUP:
				default: // a reload that has not begun reads the same files
				}
			case svc.Stop, svc.Shutdown:
				status <- svc.Status{State: svc.StopPending, WaitHint: milliseconds(g.stopTime + stopGrace)}
				stop()
			}
		}
	}
}

// ended logs why the service ended and returns the exit code of the command for it. It is
// the service's own code: Windows would take it for one of its errors otherwise.
func (s *service) ended(err error) (bool, uint32) {
	s.err = err
	var text strings.Builder
	code := cli.Report(&text, err)
	if text.Len() > 0 {
		_ = s.events.Error(errorEvent, strings.TrimSpace(text.String()))
	}
	return true, uint32(code)
}

func milliseconds(d time.Duration) uint32 { return uint32(d.Milliseconds()) }
