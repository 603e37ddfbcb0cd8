package main

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// Every command that the demo prints works as it is pasted into a second terminal.
func TestDemoPrintsCommandsThatWork(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	demo := exec.Command("metrics-gate", "demo")
	demo.Env = append(
		os.Environ(),
		"METRICS_GATE_LISTEN_ADDRESS=127.0.0.1:0",
		"METRICS_GATE_ADMIN_ADDRESS=127.0.0.1:0",
		`METRICS_GATE_LABELS=quoted="a \"b\""`,
	)
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := demo.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := demo.Wait(); err != nil {
			t.Error(err)
		}
	}()
	var commands []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "Everything is in") {
			break
		}
		if command, ok := strings.CutPrefix(line, "  "); ok && !strings.HasPrefix(command, "#") {
			commands = append(commands, command)
		}
	}
	want := []string{`quoted="a \"b\""`, `runner_name="demo-runner"`, "401 Unauthorized", "<title>", "200 OK",
		"with these credentials"}
	if len(commands) != len(want) {
		t.Fatalf("%q, want %d", commands, len(want))
	}
	for i, command := range commands {
		shell := exec.Command("sh", "-c", command)
		shell.Dir = t.TempDir()
		if out, err := shell.CombinedOutput(); err != nil || !strings.Contains(string(out), want[i]) {
			t.Errorf("%s: %v, want %s\n%.3000s", command, err, want[i], out)
		}
	}
}
