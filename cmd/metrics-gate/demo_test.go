package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// startDemo runs the demo until the test ends, and returns the commands that it prints.
func startDemo(t *testing.T, environ ...string) (commands []string) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	demo := exec.Command("metrics-gate", "demo")
	demo.Env = append(os.Environ(), append(environ, "METRICS_GATE_LISTEN_ADDRESS=127.0.0.1:0",
		"METRICS_GATE_ADMIN_ADDRESS=127.0.0.1:0")...)
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(demo.Process.Signal(syscall.SIGTERM), demo.Wait()); err != nil {
			t.Error(err)
		}
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "Everything is in") {
			break
		}
		if command, ok := strings.CutPrefix(line, "  "); ok && !strings.HasPrefix(command, "#") {
			commands = append(commands, command)
		}
	}
	return commands
}

// Every command that the demo prints works as it is pasted into a second terminal.
func TestDemoPrintsCommandsThatWork(t *testing.T) {
	commands := startDemo(t, `METRICS_GATE_LABELS=quoted="a \"b\""`)
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

// keys adds the keys of objects in v to found.
func keys(v any, found map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			keys(one, found)
		}
	case map[string]any:
		for key, one := range v {
			found[key] = true
			keys(one, found)
		}
	}
}

// The JSON of check, doctor and the status page has one word for one thing.
func TestJSONNamesOneThingInOneWay(t *testing.T) {
	commands := startDemo(t)
	found := map[string]bool{}
	for _, command := range []string{
		strings.Replace(commands[0], "curl ", "curl --output /dev/null ", 1), // a scrape for the status page
		commands[3] + " --header 'Accept: application/json'",
		commands[4] + " --json",
		"! " + commands[4] + " --path /debug/pprof/heap --json",
		"METRICS_GATE_RATE_LIMIT=0 METRICS_GATE_LABELS=x metrics-gate check --json || true",
		commands[5] + " --json",
	} {
		out, err := exec.Command("sh", "-c", command).Output()
		if err != nil {
			t.Errorf("%s: %v", command, err)
		}
		var v any
		if err := json.Unmarshal(out, &v); len(out) > 0 && err != nil {
			t.Errorf("%s: %v", command, err)
		}
		keys(v, found)
	}
	for word, others := range map[string]string{
		"advice": "do fix hint", "level": "severity", "variable": "env setting var", "subject": "identity user who",
		"remote": "client from peer", "not_after": "expires until", "rule": "pattern", "reason": "cause",
		"duration": "duration_nanoseconds duration_seconds took", "status": "code result",
		"authentication": "methods", "authorization": "rights", "settings": "whose",
	} {
		for other := range strings.FieldsSeq(others) {
			if found[other] {
				t.Errorf("%q: the word for it is %q", other, word)
			}
		}
	}
	for _, key := range []string{"advice", "variable", "wrong", "subject", "role", "level", "authorization"} {
		if !found[key] {
			t.Errorf("%q was not seen", key)
		}
	}
}
