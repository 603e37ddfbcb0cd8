package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
)

// A command whose output cannot be written says so.
func TestOutputOnAFullDisk(t *testing.T) {
	gate := func(more ...string) []string { return append(more, "--env-file", envFile(t)) }
	tried := map[string]bool{"serve": true, "pprof": true} // serve prints nothing; pprof has a test of its own
	for _, args := range [][]string{{"version"}, {"help"}, {"help", "check"}, {"check", "-h"}, {"token", "a"},
		{"completion", "bash"}, {"completion", "zsh"}, {"completion", "fish"}, gate("check"), gate("check", "--json"),
		gate("check", "--as", "token:prometheus"), gate("doctor"), gate("doctor", "--json"), gate("print", "alerts"),
		gate("print", "systemd"), gate("healthcheck"), {"demo"}, {"check", "--json"}} {
		tried[args[0]] = true
		var errors bytes.Buffer
		environ := []string{config.Prefix + "LISTEN_ADDRESS=127.0.0.1:0", config.Prefix + "ADMIN_ADDRESS=127.0.0.1:0"}
		if args[0] != "demo" {
			environ = nil
		}
		code := run(t.Context(), args, environ, gatetest.FullDisk{}, &errors)
		if code != 1 || !strings.Contains(errors.String(), syscall.ENOSPC.Error()) {
			t.Errorf("%v: status %d: %s", args, code, errors.String())
		}
	}
	for _, c := range commands() {
		if !tried[c.Name] && c.Name != "service" { // which Windows alone has
			t.Errorf("%s: not tried", c.Name)
		}
	}
}

// envFile is an environment file with the settings of the demo.
func envFile(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := demofiles.Write(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "gate.env")
	if err := os.WriteFile(path, []byte(strings.Join(demofiles.Environ(dir, "127.0.0.1:9"), "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
