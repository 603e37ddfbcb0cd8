package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/metrics-gate/metrics-gate/proxy/fastpath"
	"github.com/metrics-gate/metrics-gate/proxy/rawconn"
)

// serve is the gate itself: it runs until SIGTERM or SIGINT, and reloads on SIGHUP.
func (p *process) serve(ctx context.Context, args []string) error {
	if err := p.none("serve", args); err != nil {
		return err
	}
	c, err := load(p.environ)
	if err != nil {
		return err
	}
	s, err := newServer(c, newLogger(p.stderr, c.Process))
	if err != nil {
		return err
	}
	return s.run(ctx, p.signals)
}

// server is a gate with its listeners.
type server struct {
	config        *config
	log           *slog.Logger
	gate          *gate
	listener      net.Listener
	connections   *connections
	public, admin *http.Server
	express       *fastpath.Server // takes repeated scrapes over from public
	adminListener net.Listener     // nil if off
	state         *state
}

// newServer reads all files and binds all addresses; nothing is served before run.
func newServer(c *config, log *slog.Logger) (*server, error) {
	m := newMetrics()
	g, err := newGate(c, log, m.registry)
	if err != nil {
		return nil, err
	}
	s := &server{config: c, log: log, gate: g, state: &state{tls: g.tls}}
	m.registry.MustRegister(expiryCollector{g.tls})
	if s.listener, err = publicListener(c.Listen); err != nil {
		return nil, err
	}
	if s.adminListener, err = adminListener(c.Process.AdminAddress); err != nil {
		_ = s.listener.Close()
		return nil, err
	}
	errorLog := slog.NewLogLogger(connectionLog{log.Handler(), s.state}, slog.LevelWarn)
	s.express = fastpath.New(fastpath.Options{
		Path: "/metrics", IdleTimeout: c.Listen.IdleTimeout, WriteTimeout: c.Listen.WriteTimeout, ErrorLog: errorLog,
	})
	var http1 http.Protocols
	http1.SetHTTP1(true) // ServeTLS would offer h2 otherwise
	s.public = &http.Server{
		Protocols:         &http1,
		Handler:           s.express.Handler(noteFirst(g.handler)),
		TLSConfig:         g.tlsConfig(),
		ReadHeaderTimeout: c.Listen.ReadHeaderTimeout,
		IdleTimeout:       c.Listen.IdleTimeout,
		WriteTimeout:      c.Listen.WriteTimeout,
		MaxHeaderBytes:    c.Listen.MaxHeaderBytes,
		ConnContext:       connContext,
		ErrorLog:          errorLog,
		// OPTIONS * must not be answered before authentication.
		DisableGeneralOptionsHandler: true,
	}
	s.connections = newConnections(c.Listen, m.connections)
	s.listener = s.connections.Listen(rawconn.Listener(s.listener))
	s.admin = newAdmin(s, m.registry)
	return s, nil
}

// run serves until a signal or the end of ctx, and drains.
func (s *server) run(ctx context.Context, signals <-chan os.Signal) error {
	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	defer running.Wait()
	defer stopBackground()

	failed := make(chan error, 3)
	reloads := make(chan chan struct{})
	running.Go(func() { s.gate.run(background, reloads) })
	running.Go(func() { watchdog(background, s.answers) })
	running.Go(func() { s.watchExpiry(background) })
	running.Go(func() { failed <- s.servePublic() })
	running.Go(func() { failed <- s.public.Serve(s.express.Listener()) })
	if s.adminListener != nil {
		running.Go(func() { failed <- s.admin.Serve(s.adminListener) })
	}
	s.state.serving.Store(true)
	notify(daemon.SdNotifyReady)
	s.logStart()

	for {
		select {
		case err := <-failed:
			s.cut()
			_ = s.admin.Close()
			return fmt.Errorf("listener: %w", err)
		case <-ctx.Done():
			return s.stop(signals)
		case sig := <-signals:
			if sig != syscall.SIGHUP {
				return s.stop(signals)
			}
			done := make(chan struct{})
			notifyReloading()
			reloads <- done
			<-done
			notify(daemon.SdNotifyReady)
		}
	}
}

func (s *server) servePublic() error {
	if s.public.TLSConfig == nil {
		return s.public.Serve(s.listener)
	}
	return s.public.ServeTLS(s.listener, "", "")
}

// answers is what the watchdog asks.
func (s *server) answers(ctx context.Context) error {
	return s.state.probe(ctx, s.listener.Addr(), s.public.TLSConfig == nil)
}

// errCut says that requests in flight did not finish.
var errCut = errors.New("requests in flight were cut")

// stop lingers, closes the public listener and lets what is in flight finish. Another
// signal ends everything at once.
func (s *server) stop(signals <-chan os.Signal) error {
	notify(daemon.SdNotifyStopping)
	defer func() { _ = s.admin.Close() }()
	s.log.Info("stopping", "linger", s.config.Process.Linger, "drain", s.config.Process.DrainTimeout)
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
					s.cut()
				}
			}
		}
	})
	s.linger(ctx)
	s.state.serving.Store(false)
	drain, stop := context.WithTimeout(ctx, s.config.Process.DrainTimeout)
	defer stop()
	_ = s.listener.Close()
	s.connections.settle(drain)
	if err := s.shutdown(drain); err != nil || ctx.Err() != nil {
		s.cut()
		return fmt.Errorf("drain: %w", errCut)
	}
	s.log.Info("stopped")
	return nil
}

// shutdown lets requests in flight finish, whoever answers them.
func (s *server) shutdown(ctx context.Context) error {
	repeated := make(chan error, 1)
	go func() { repeated <- s.express.Shutdown(ctx) }()
	return errors.Join(s.public.Shutdown(ctx), <-repeated)
}

// cut closes all public connections.
func (s *server) cut() {
	_ = s.public.Close()
	_ = s.express.Close()
}

// linger waits until the upstream closes its port: a runner drains for up to an hour
// and wants to be watched meanwhile.
func (s *server) linger(ctx context.Context) {
	if s.config.Process.Linger == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Process.Linger)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for s.gate.upstream.Reachable(ctx) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
