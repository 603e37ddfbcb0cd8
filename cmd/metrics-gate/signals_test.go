//go:build unix

package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

// program is the real program in a process of its own.
type program struct {
	*exec.Cmd
	stdout, stderr testwait.Buffer
}

// start runs command.
func start(t *testing.T, environ []string, args ...string) *program {
	t.Helper()
	p := command(t, environ, args...)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// command is metrics-gate: this test binary, started under that name.
func command(t *testing.T, environ []string, args ...string) *program {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{Cmd: &exec.Cmd{Path: self, Args: append([]string{"metrics-gate"}, args...), Dir: t.TempDir(),
		Env: append([]string{"TMPDIR=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}, environ...)}}
	p.Stdout, p.Stderr = &p.stdout, &p.stderr
	t.Cleanup(func() {
		if p.Process != nil {
			_ = p.Process.Kill()
			_ = p.Wait()
		}
	})
	return p
}

// says waits until the program has printed text.
func (p *program) says(t *testing.T, text string) {
	t.Helper()
	testwait.Eventually(t, "output with "+text, func() bool {
		return strings.Contains(p.stdout.String()+p.stderr.String(), text)
	})
}

// code waits for the end of the program and returns its exit status; -1 if it does not end.
func (p *program) code(t *testing.T) int {
	t.Helper()
	defer time.AfterFunc(20*time.Second, func() { _ = p.Process.Kill() }).Stop()
	var exit *exec.ExitError
	if err := p.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return p.ProcessState.ExitCode()
}

// muteServer accepts connections and never answers. asked gets one value for each connection
// on which something has come.
type muteServer struct {
	address string
	asked   chan struct{}
}

// mute starts a muteServer on a free port.
func mute(t *testing.T) muteServer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	m := muteServer{ln.Addr().String(), make(chan struct{}, 64)}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				if _, err := io.ReadFull(conn, make([]byte, 1)); err == nil {
					m.asked <- struct{}{}
					_, _ = io.Copy(io.Discard, conn) // until the client leaves
				}
			}()
		}
	}()
	return m
}

// stopped is a command that runs until a signal ends it.
type stopped struct {
	args    []string
	environ []string
	says    string        // what it prints once it runs; or
	asked   chan struct{} // what gets a value once it waits for an answer
	code    int
}

// stoppedCommands lists the commands that wait for something. All others end by themselves.
func stoppedCommands(t *testing.T) map[string]stopped {
	dir := t.TempDir()
	if err := demofiles.Write(dir); err != nil {
		t.Fatal(err)
	}
	environ := func(runner, admin string) []string {
		return append(demofiles.Environ(dir, runner), "METRICS_GATE_LISTEN_ADDRESS=127.0.0.1:0",
			"METRICS_GATE_ADMIN_ADDRESS="+admin)
	}
	served, profiled, examined, probed := mute(t), mute(t), mute(t), mute(t)
	free := environ("127.0.0.1:9", "127.0.0.1:0")
	return map[string]stopped{
		"without a command": {nil, free, "msg=started", nil, 0},
		"serve":             {[]string{"serve"}, free, "msg=started", nil, 0},
		"demo":              {[]string{"demo"}, free[len(free)-2:], "Everything is in", nil, 0},
		"pprof --serve":     {[]string{"pprof", "--serve", "http://" + served.address}, nil, "Ready until", nil, 0},
		"pprof": {[]string{"pprof", "http://" + profiled.address + "/debug/pprof/heap"}, nil, "", profiled.asked,
			1},
		"doctor":      {[]string{"doctor"}, environ(examined.address, "off"), "", examined.asked, 1},
		"healthcheck": {[]string{"healthcheck"}, environ("127.0.0.1:9", probed.address), "", probed.asked, 1},
	}
}

// SIGINT and SIGTERM end each command, and what it wrote for the time of its run is gone.
func TestSignalsEndEveryCommand(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for name, test := range stoppedCommands(t) {
			t.Run(name+" "+sig.String(), func(t *testing.T) {
				p := start(t, test.environ, test.args...)
				if test.asked != nil {
					testwait.Eventually(t, "question", func() bool { return len(test.asked) > 0 })
				} else {
					p.says(t, test.says)
				}
				if err := p.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
				if got := p.code(t); got != test.code {
					t.Errorf("exit status %d, want %d\n%s%s", got, test.code, p.stdout.String(), p.stderr.String())
				}
				if strings.Contains(p.stderr.String(), "panic") || strings.Contains(p.stderr.String(), "goroutine ") {
					t.Error(p.stderr.String())
				}
				for _, dir := range []string{p.Dir, strings.TrimPrefix(p.Env[0], "TMPDIR=")} {
					if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
						t.Errorf("left behind: %v %v", left, err)
					}
				}
			})
		}
	}
}

// SIGHUP reloads what serves, and ends what does not.
func TestHangupReloadsOrEnds(t *testing.T) {
	all := stoppedCommands(t)
	for name, reloads := range map[string]bool{"serve": true, "demo": true, "pprof --serve": false} {
		t.Run(name, func(t *testing.T) {
			test := all[name]
			p := start(t, test.environ, test.args...)
			p.says(t, test.says)
			if err := p.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			if reloads {
				p.says(t, "nothing has changed")
				if err := p.Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
			}
			if got := p.code(t); got != 0 {
				t.Errorf("exit status %d\n%s", got, p.stderr.String())
			}
		})
	}
}

// A named pipe in place of any file is an error at once: nothing waits for its writer.
func TestNamedPipeIsNoFile(t *testing.T) {
	dir := t.TempDir()
	if err := demofiles.Write(dir); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	good := append(demofiles.Environ(dir, "127.0.0.1:9"), "METRICS_GATE_OIDC_ISSUER_URL=https://id.example",
		"METRICS_GATE_OIDC_AUDIENCE=gate")
	for _, variable := range []string{"TLS_CERT_FILE", "TLS_KEY_FILE", "TLS_CLIENT_CA_FILE", "TLS_CLIENT_CRL_FILE",
		"TOKENS_FILE", "OIDC_CA_FILE", "OIDC_JWKS_FILE", "OIDC_DISCOVERY_TOKEN_FILE"} {
		var out, errors bytes.Buffer
		code := run(t.Context(), []string{"check"}, append(good, "METRICS_GATE_"+variable+"="+pipe), &out, &errors)
		if code != 1 || !strings.HasPrefix(errors.String(), "metrics-gate: METRICS_GATE_"+variable+" ") ||
			strings.Count(errors.String(), "metrics-gate: ") != 1 {
			t.Errorf("%s: status %d: %s", variable, code, errors.String())
		}
	}
}

// A demo whose standard output is a closed pipe ends with an error and leaves nothing behind: what
// it prints is all that a person sees of it.
func TestDemoEndsWithoutOutput(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = writer.Close() }()
	_ = reader.Close()
	p := command(t, []string{"METRICS_GATE_LISTEN_ADDRESS=127.0.0.1:0", "METRICS_GATE_ADMIN_ADDRESS=off"}, "demo")
	p.Stdout = writer
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	if code := p.code(t); code != 1 || !strings.Contains(p.stderr.String(), "demo: what to try cannot be printed") {
		t.Errorf("exit status %d, %s", code, p.stderr.String())
	}
	if left, err := os.ReadDir(strings.TrimPrefix(p.Env[0], "TMPDIR=")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
