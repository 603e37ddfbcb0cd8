package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/connlimit"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/expiry"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/loopback"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/status"
	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/tlsconf"
)

// state is what the admin listener tells about the public one.
type state struct {
	serving atomic.Bool
	tls     *tlsconf.Reloader // nil with plain HTTP
	prober  atomic.Value      // string: local address of the watchdog's last connection
}

// ready tells why the gate should get no requests, as a *cli.Failure; nil if it should. It depends
// neither on the runner nor on an issuer: a native sidecar starts before its runner.
func (s *state) ready(now time.Time) error {
	if !s.serving.Load() {
		return &cli.Failure{Err: errors.New("the public listener is not up"),
			Advice: "the gate starts, or stops and finishes what is in flight: ask again in a moment"}
	}
	if s.tls == nil {
		return nil
	}
	if err := s.tls.Valid(now); err != nil {
		return &cli.Failure{Err: err, Advice: "renew the file of " + config.Prefix + "TLS_CERT_FILE, which is loaded " +
			"within 10 s; if its dates are right, set the clock"}
	}
	return nil
}

// answerReady writes what ready says: ok, or the reason and below it the advice.
func (s *state) answerReady(w http.ResponseWriter, _ *http.Request) {
	err := s.ready(time.Now())
	if err == nil {
		loopback.Plain(w, http.StatusOK, "ok")
		return
	}
	text := err.Error()
	if f, ok := errors.AsType[*cli.Failure](err); ok {
		text += "\n" + f.Advice
	}
	loopback.Plain(w, http.StatusServiceUnavailable, text)
}

// adminConnections bounds the open connections of the admin listener, which may face the
// network for probes. The oldest makes room.
const adminConnections = 64

// adminListener binds the admin address; nil if it is off.
func adminListener(address config.AdminAddress) (net.Listener, error) {
	if address.Off {
		return nil, nil
	}
	ln, err := bind("ADMIN_ADDRESS", address.ListenAddress)
	if err != nil {
		return nil, err
	}
	bounds := connlimit.Bounds{Total: adminConnections, PerAddress: adminConnections}
	return connlimit.New(bounds, prometheus.NewGauge(prometheus.GaugeOpts{Name: "admin"})).Listen(ln), nil
}

// newAdmin is the plain HTTP server for probes and, on loopback, for people.
func newAdmin(s *Server, registry *prometheus.Registry) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		loopback.Plain(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /readyz", s.state.answerReady)
	if s.adminListener != nil && loopback.Is(s.adminListener.Addr()) {
		mux.Handle("GET /metrics", s.gate.OwnMetrics)
		mux.Handle("GET /{$}", status.New(status.Options{
			Config: s.config, Version: s.version, Listen: s.listener.Addr().String(), Ready: s.state.ready,
			RunnerName: s.gate.RunnerName, Recent: s.gate.Observer.Recent, Scrapers: s.gate.Observer.Scrapers,
			Upstream: s.gate.Observer.Upstream, Reloads: s.reloads, Refusals: s.refusals,
			Expiry:   func(now time.Time) []expiry.Entry { return expiry.List(s.gate.TLS, now) },
			Gatherer: registry, Log: s.log,
		}))
	}
	return &http.Server{
		Handler:           proxy.SecurityHeaders(loopback.RequireLocalHost(mux)),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    8 << 10,
		ErrorLog:          slog.NewLogLogger(connectionLog{s.log.Handler()}, slog.LevelWarn),
	}
}

// reloads is the state of each set of files, for the status page.
func (s *Server) reloads() []status.Reload {
	list := []status.Reload{} // JSON has [] for none
	for _, state := range s.gate.Reloads() {
		list = append(list, status.Reload(state))
	}
	return list
}

// probe is answers, remembered so that the connection's end is not reported as a failure.
func (s *state) probe(ctx context.Context, addr net.Addr, plain bool) error {
	return answers(ctx, addr, plain, func(local net.Addr) {
		s.prober.Store(local.String())
	})
}

// isProbe tells whether from is the watchdog's last connection.
func (s *state) isProbe(from net.Addr) bool { return s.prober.Load() == from.String() }

// connectionLog turns http.Server's lines into records of one constant message.
type connectionLog struct{ slog.Handler }

// Handle implements slog.Handler.
func (h connectionLog) Handle(ctx context.Context, r slog.Record) error {
	record := slog.NewRecord(r.Time, slog.LevelWarn, "connection refused or broken", r.PC)
	record.AddAttrs(slog.String("err", strings.TrimSpace(r.Message)))
	return h.Handler.Handle(ctx, record)
}
