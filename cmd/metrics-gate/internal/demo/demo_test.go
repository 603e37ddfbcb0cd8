package demo

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
)

// The printed scrapes work as they stand, in a shell, and the demo leaves nothing.
func TestDemoCommands(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, stop := context.WithCancel(t.Context())
	read, write := io.Pipe()
	var log bytes.Buffer
	var demo sync.WaitGroup
	code := -1
	demo.Go(func() {
		code = gatetest.Run(ctx, Command(),
			gatetest.Process([]string{config.Prefix + "LISTEN_ADDRESS=127.0.0.1:0",
				config.Prefix + "ADMIN_ADDRESS=127.0.0.1:0"}, write, &log))
		_ = write.Close()
	})
	var commands []string
	lines := bufio.NewScanner(read)
	for lines.Scan() && len(commands) < 4 {
		if line := strings.TrimSpace(lines.Text()); strings.HasPrefix(line, "curl ") {
			commands = append(commands, line)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, read) }()
	if len(commands) != 4 {
		t.Fatalf("%d commands printed\n%s", len(commands), log.String())
	}
	for i, want := range []string{
		`exported_runner_name="build-linux-01"`,
		`gitlab_runner_concurrent{runner_name="demo-runner"} 4`,
		"HTTP/1.1 401 Unauthorized",
		"<title>demo-runner",
	} {
		out, err := exec.Command("sh", "-c", commands[i]).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s\nlacks %q: %v\n%.2000s", commands[i], want, err, out)
		}
	}
	stop()
	demo.Wait()
	if code != 0 {
		t.Errorf("exit code %d\n%s", code, log.String())
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("the demo left %v %v", left, err)
	}
}

// The stand-in must not bring the profiles of net/http/pprof into a program that guards them.
func TestDefaultMuxIsEmpty(t *testing.T) {
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/cmdline"} {
		r, err := http.NewRequest(http.MethodGet, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, pattern := http.DefaultServeMux.Handler(r); pattern != "" {
			t.Errorf("%s is registered on the default mux", path)
		}
	}
}
