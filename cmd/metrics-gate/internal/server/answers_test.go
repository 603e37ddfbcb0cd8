package server

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
)

func TestAnswersOnAnyAddress(t *testing.T) {
	ln, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	if err := answers(t.Context(), ln.Addr(), true, func(net.Addr) {}); err != nil {
		t.Error(err)
	}
	_ = ln.Close()
	if err := answers(t.Context(), ln.Addr(), true, func(net.Addr) {}); err == nil {
		t.Error("a closed listener counts as answering")
	}
}

func TestConnectionLog(t *testing.T) {
	var out bytes.Buffer
	log := slog.NewLogLogger(connectionLog{slog.NewTextHandler(&out, nil)}, slog.LevelWarn)
	log.Print("http: panic serving 192.0.2.1:1234: a\nb")
	if n := strings.Count(out.String(), "\n"); n != 1 ||
		!strings.Contains(out.String(), `msg="connection refused or broken"`) {
		t.Errorf("%d lines: %s", n, out.String())
	}
}

func TestSilentListenerDoesNotAnswer(t *testing.T) {
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = deaf.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := answers(ctx, deaf.Addr(), false, func(net.Addr) {}); err == nil {
		t.Error("a listener that accepts and says nothing counts as answering")
	}
}

// serve names the variables whose prefix is misspelled: nothing else reads them.
func TestMisspelledVariablesAreNamed(t *testing.T) {
	dir := t.TempDir()
	if err := demofiles.Write(dir); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := &cli.Process{Stdout: io.Discard, Stderr: &out, Environ: append(demofiles.Environ(dir, "127.0.0.1:9"),
		"METRICS_GATE_LISTEN_ADDRESS=127.0.0.1:0", "METRICS_GATE_ADMIN_ADDRESS=off", "METRIC_GATE_RATE_LIMIT=1")}
	if err := serve(ctx, p, nil); err != nil {
		t.Fatal(err)
	}
	want := `msg="a variable is not read" err="METRIC_GATE_RATE_LIMIT: not read: variables begin with METRICS_GATE_" ` +
		`advice="did you mean METRICS_GATE_RATE_LIMIT?"`
	if !strings.Contains(out.String(), want) {
		t.Errorf("no %s in\n%s", want, out.String())
	}
}
