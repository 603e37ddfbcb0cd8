package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// ErrCut says that requests in flight did not finish.
var ErrCut = errors.New("requests in flight were cut")

// stop lingers, closes the public listener and lets what is in flight finish. Another
// signal ends everything at once.
func (s *Server) stop(signals <-chan os.Signal) error {
	notify(daemon.SdNotifyStopping)
	defer func() { _ = s.admin.Close() }()
	s.log.Info("stopping", "linger", s.config.Process.Linger.Seconds(), "drain",
		s.config.Process.DrainTimeout.Seconds())
	ctx, cancel := context.WithCancel(context.Background())
	var second sync.WaitGroup
	defer second.Wait()
	defer cancel()
	second.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case sig := <-signals:
				if sig != syscall.SIGHUP {
					cancel()
				}
			}
		}
	})
	s.linger(ctx)
	s.state.serving.Store(false)
	drain, stop := context.WithTimeout(ctx, s.config.Process.DrainTimeout)
	defer stop()
	_ = s.listener.Close()
	s.connections.WaitForRequests(drain)
	s.connections.CloseSilent()
	if err := s.shutdown(drain); err != nil {
		inFlight := s.connections.InFlight()
		s.cut()
		if inFlight > 0 {
			return fmt.Errorf("drain: %d %w", inFlight, ErrCut)
		}
	}
	s.log.Info("stopped")
	return nil
}

// shutdown lets requests in flight finish, whoever answers them.
func (s *Server) shutdown(ctx context.Context) error {
	repeated := make(chan error, 1)
	go func() { repeated <- s.fastpath.Shutdown(ctx) }()
	return errors.Join(s.public.Shutdown(ctx), <-repeated)
}

// cut closes all public connections.
func (s *Server) cut() {
	_ = s.public.Close()
	_ = s.fastpath.Close()
}

// linger waits until the upstream closes its port: a runner drains for up to an hour
// and wants to be watched meanwhile.
func (s *Server) linger(ctx context.Context) {
	if s.config.Process.Linger == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Process.Linger)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for s.gate.Upstream.Reachable(ctx) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
