// Package demo is the command demo: a gate with everything around it embedded.
package demo

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/server"
)

// Command declares demo.
func Command() cli.Command {
	return cli.Command{
		Name: "demo", Summary: "everything embedded: a runner, a CA, a certificate, a token, a gate", Reloads: true,
		Example: "metrics-gate demo", Setup: cli.NoFlags(demo),
	}
}

// demo runs the gate with everything it needs embedded: a stand-in for the runner, a
// throwaway CA, a server and a client certificate and a token, in a temporary
// folder that goes when the demo ends. METRICS_GATE_* variables of the caller's win.
func demo(ctx context.Context, p *cli.Process, _ []string) error {
	dir, err := os.MkdirTemp("", "metrics-gate-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := demofiles.Write(dir); err != nil {
		return fmt.Errorf("demo %s: %w", dir, err)
	}
	runner, err := startDemoRunner()
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { _ = runner.Close() }()

	environ := append(demofiles.Environ(dir, runner.address), p.Environ...)
	c, err := config.Load(environ)
	if err != nil {
		return err
	}
	s, err := server.New(c, server.NewLogger(p.Stderr, c.Process), p.Build)
	if err != nil {
		return err
	}
	if err := writeSettings(filepath.Join(dir, settingsFile), environ, s); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	// Without it the signal ends the process at a closed pipe, without a word, and the folder stays.
	signal.Ignore(syscall.SIGPIPE)
	if err := printDemo(p.Stdout, dir, runner.address, s); err != nil {
		return fmt.Errorf("demo: what to try cannot be printed: %w", err)
	}
	return s.Run(ctx, p.TakeSignals())
}

// demoRunner is the stand-in's server.
type demoRunner struct {
	*http.Server
	address string
	stop    context.CancelFunc
}

// startDemoRunner serves a runner's metrics and profiles on a free loopback port.
func startDemoRunner() (*demoRunner, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	mux := http.NewServeMux()
	mux.Handle("/metrics", newStandIn(ctx).handler())
	mux.HandleFunc("/debug/pprof/", ServeProfile)
	r := &demoRunner{
		Server:  &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second},
		address: ln.Addr().String(), stop: stop,
	}
	go func() { _ = r.Serve(ln) }()
	return r, nil
}

// Close ends the server and what moves its values.
func (r *demoRunner) Close() error {
	r.stop()
	return r.Server.Close()
}

// demoName is the part of a pprof path that names the profile.
func demoName(path string) string { return strings.TrimPrefix(path, "/debug/pprof/") }
