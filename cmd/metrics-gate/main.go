// Command metrics-gate authenticates, limits and labels what Prometheus reads from
// a GitLab Runner's metrics listener, which has no protection of its own.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gate"
)

func main() {
	gate.TuneRuntime(os.Getenv)
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// run carries out one command and returns the exit code: 0 well, 1 failed while
// running, 2 configuration or usage error.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	b := cli.ReadBuild(buildVersion, buildRevision)
	p := &cli.Process{Environ: environ, Stdout: stdout, Stderr: stderr, Build: b, Signals: signals,
		JSONErrors: config.JSONErrors(environ)}
	return p.Report(dispatch(ctx, p, args))
}
