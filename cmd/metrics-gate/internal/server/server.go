// Package server is a gate with its listeners: public and admin, systemd's sockets and
// notifications, the log, and the drain at the end.
package server

import (
	"context"
	"crypto/tls"
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

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/connlimit"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/expiry"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gate"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/status"
	"github.com/metrics-gate/metrics-gate/proxy/fastpath"
	"github.com/metrics-gate/metrics-gate/proxy/rawconn"
)

// Command declares serve.
func Command() cli.Command {
	return cli.Command{
		Name: "serve", Summary: "run the gate (also without any command)", Reloads: true,
		Example: "metrics-gate serve", Setup: cli.NoFlags(serve),
		Args: cli.Args{Advice: "serve reads the environment: (set -a; . ./gate.env; exec metrics-gate)"},
	}
}

// serve is the gate itself: it runs until SIGTERM or SIGINT, and reloads on SIGHUP.
func serve(ctx context.Context, p *cli.Process, _ []string) error {
	c, err := config.Load(p.Environ)
	if err != nil {
		return gate.WithFiles(c, err)
	}
	log := NewLogger(p.Stderr, c.Process)
	for _, f := range config.Misspelled(p.Environ) {
		log.Warn("a variable is not read", "err", f.What, "advice", f.Do)
	}
	s, err := New(c, log, p.Build)
	if err != nil {
		return err
	}
	return s.Run(ctx, p.TakeSignals())
}

// Server is a gate with its listeners.
type Server struct {
	config        *config.Config
	log           *slog.Logger
	version       string
	gate          *gate.Gate
	listener      net.Listener
	connections   *connlimit.Limiter
	public, admin *http.Server
	fastpath      *fastpath.Server // takes repeated scrapes over from public
	adminListener net.Listener     // nil if off
	state         *state
	refusals      *status.Refusals
}

// New reads all files and binds all addresses; nothing is served before run.
func New(c *config.Config, log *slog.Logger, b cli.Build) (*Server, error) {
	m, refusals := gate.NewMetrics(b), new(status.Refusals)
	log = slog.New(advised{refusals.Handler(log.Handler()), c.Upstream.URL.Address.String()})
	g, err := gate.New(c, log, b.Version, m.Registry)
	if err != nil {
		return nil, err
	}
	s := &Server{config: c, log: log, version: b.Version, gate: g, state: &state{tls: g.TLS}, refusals: refusals}
	m.Registry.MustRegister(expiry.Collector{TLS: g.TLS})
	if s.listener, err = publicListener(c.Listen); err != nil {
		return nil, err
	}
	if s.adminListener, err = adminListener(c.Process.AdminAddress); err != nil {
		_ = s.listener.Close()
		return nil, err
	}
	if err := checkUpstream(c, s.listener, s.adminListener); err != nil {
		return nil, errors.Join(err, closeAll(s.listener, s.adminListener))
	}
	errorLog := slog.NewLogLogger(connectionLog{log.Handler()}, slog.LevelWarn)
	s.fastpath = fastpath.New(fastpath.Options{
		Path: "/metrics", IdleTimeout: c.Listen.IdleTimeout, WriteTimeout: c.Listen.WriteTimeout, ErrorLog: errorLog,
		Context: gate.ReusedContext,
	})
	var http1 http.Protocols
	http1.SetHTTP1(true) // Serve would prepare h2 otherwise
	s.public = &http.Server{
		Protocols: &http1,
		Handler: s.fastpath.Handler(connlimit.TrackRequests(limitHeader(c.Listen.MaxHeaderBytes,
			logPanics(log, g.Handler)))),
		TLSConfig:         g.TLSConfig(),
		ReadHeaderTimeout: c.Listen.ReadHeaderTimeout,
		IdleTimeout:       c.Listen.IdleTimeout,
		WriteTimeout:      c.Listen.WriteTimeout,
		MaxHeaderBytes:    c.Listen.MaxHeaderBytes, // and limitHeader, which counts
		ConnContext:       connlimit.ConnContext,
		ErrorLog:          errorLog,
		// OPTIONS * must not be answered before authentication.
		DisableGeneralOptionsHandler: true,
	}
	s.connections = connlimit.New(connlimit.Bounds{Total: c.Listen.MaxConnections, PerAddress: c.Listen.MaxPerAddress},
		m.Connections)
	s.listener = rawconn.Corked(s.connections.Listen(rawconn.Listener(s.listener)))
	s.admin = newAdmin(s, m.Registry)
	return s, nil
}

// Addr is where the public listener is bound.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// AdminAddr is where the admin listener is bound; nil if it is off.
func (s *Server) AdminAddr() net.Addr {
	if s.adminListener == nil {
		return nil
	}
	return s.adminListener.Addr()
}

// Ready is what /readyz answers at now: nil, or why the gate should get no requests.
func (s *Server) Ready(now time.Time) error { return s.state.ready(now) }

// Run serves until a signal or the end of ctx, and drains.
func (s *Server) Run(ctx context.Context, signals <-chan os.Signal) error {
	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	defer running.Wait()
	defer stopBackground()

	failed := make(chan error, 3)
	reloads := make(chan chan struct{})
	ends := expiry.NewWatch(s.log, func(now time.Time) []expiry.Entry { return expiry.List(s.gate.TLS, now) })
	ends.Look(time.Now())
	running.Go(func() { s.gate.Run(background, reloads, ends.Look) })
	running.Go(func() { watchdog(background, s.answers) })
	running.Go(func() { failed <- s.servePublic() })
	running.Go(func() { failed <- s.public.Serve(s.fastpath.Listener()) })
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

func (s *Server) servePublic() error {
	if s.public.TLSConfig == nil {
		return s.public.Serve(s.listener)
	}
	return s.public.Serve(&secureListener{s.listener, s.public.TLSConfig, s.handshake})
}

// handshake reports whether the handshake of conn succeeded. That of the watchdog may fail.
func (s *Server) handshake(conn *tls.Conn) bool {
	err := s.gate.Handshake(conn, s.public.ReadHeaderTimeout)
	if err != nil && !s.state.isProbe(conn.RemoteAddr()) {
		s.gate.ReportHandshake(err)
	}
	return err == nil
}

// answers is what the watchdog asks.
func (s *Server) answers(ctx context.Context) error {
	return s.state.probe(ctx, s.listener.Addr(), s.public.TLSConfig == nil)
}
