// Package windows_test runs the program for Windows in Wine.
package windows_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// commandTime bounds one program that ends by itself.
const commandTime = 2 * time.Minute

// wine is a Windows of its own, and the program on it.
type wine struct {
	dir    string // WINEPREFIX
	exe    string // metrics-gate.exe
	events string // the file with what the services report to the Event Log
}

// TestInWine shares one Wine, because making one takes longer than most tests in it.
func TestInWine(t *testing.T) {
	w := newWine(t)
	t.Run("packages", w.testPackages)
	t.Run("demo", w.testDemo)
	t.Run("service", w.testService)
	t.Run("settings in the registry", w.testRegistry)
	t.Run("bad settings", w.testBadSettings)
}

func newWine(t *testing.T) *wine {
	t.Helper()
	// Go ignores file modes on Windows, Wine makes access control lists of them: with this
	// mask only the owner may read what the program writes.
	old := syscall.Umask(0o077)
	t.Cleanup(func() { syscall.Umask(old) })
	w := &wine{dir: t.TempDir(), exe: compile(t, "cmd/metrics-gate", "build")}
	t.Cleanup(w.stop)
	w.makePrefix(t)
	w.hold(t)
	library := filepath.Join(w.dir, "drive_c/windows/system32/bcryptprimitives.dll")
	if err := os.WriteFile(library, primitives(), 0o644); err != nil {
		t.Fatal(err)
	}
	return w
}

// makePrefix makes this Wine and ends it again: on a busy machine a program that finds no Wine and has
// one made for it may not start.
func (w *wine) makePrefix(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTime)
	defer cancel()
	if out, err := w.command(ctx, "wineboot", "--init").CombinedOutput(); err != nil {
		t.Fatalf("wineboot: %v\n%s", err, out)
	}
	w.stop()
}

// hold starts this Wine and keeps a program running in it until the end of the test: Wine
// ends all services when the last program ends that is no service. The services inherit the
// standard error of the first program, to which Wine writes what is reported to the Event Log.
func (w *wine) hold(t *testing.T) {
	t.Helper()
	w.events = filepath.Join(w.dir, "events")
	file, err := os.Create(w.events)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	shell := exec.Command("wine", "cmd")
	shell.Env = append(w.environ(), "WINEDEBUG=-all,+eventlog")
	shell.Stdout, shell.Stderr = file, file
	input, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = input.Close(), shell.Wait() })
	err = harness.Poll(commandTime, func() error {
		if log := w.eventLog(t); !strings.Contains(log, "Microsoft Windows") { // the shell's first words
			return fmt.Errorf("no shell: %s", log)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// stop ends everything in this Wine, and waits until it has written its registry.
func (w *wine) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), commandTime)
	defer cancel()
	for _, flag := range []string{"-k", "-w"} {
		stop := exec.CommandContext(ctx, "wineserver", flag)
		stop.Env = w.environ()
		_ = stop.Run() // it fails if all has ended
	}
}

func (w *wine) environ() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "WINEPREFIX=" + w.dir, "WINEDEBUG=-all"}
}

func (w *wine) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, "wine", args...)
	c.Env = w.environ()
	c.WaitDelay = 10 * time.Second // a process of Wine's own may hold a pipe
	return c
}

// result is how a program ended.
type result struct {
	code   int
	stdout string
	stderr string
}

// run runs a program to its end. Of the environment it has environ besides Wine's own.
func (w *wine) run(t *testing.T, program string, args ...string) result {
	t.Helper()
	return w.runWith(t, nil, program, args...)
}

func (w *wine) runWith(t *testing.T, environ []string, program string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandTime)
	defer cancel()
	c := w.command(ctx, append([]string{program}, args...)...)
	c.Env = append(c.Env, environ...)
	// Files, not pipes: services that a program starts would keep a pipe open.
	var files [2]*os.File
	for i := range files {
		file, err := os.CreateTemp(t.TempDir(), "out")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		files[i] = file
	}
	c.Stdout, c.Stderr = files[0], files[1]
	if err := c.Run(); err != nil && c.ProcessState == nil || ctx.Err() != nil {
		t.Fatalf("%s %q: %v, %v", program, args, err, ctx.Err())
	}
	r := result{code: c.ProcessState.ExitCode()}
	for i, text := range []*string{&r.stdout, &r.stderr} {
		content, err := io.ReadAll(io.NewSectionReader(files[i], 0, 1<<20))
		if err != nil {
			t.Fatal(err)
		}
		*text = strings.ReplaceAll(string(content), "\r\n", "\n")
	}
	return r
}

// windowsPath is the path by which Windows programs find a file of this machine.
func windowsPath(path string) string { return `Z:` + strings.ReplaceAll(path, "/", `\`) }

// compile runs go with args for Windows in folder, and returns the program that -o named.
func compile(t *testing.T, folder string, args ...string) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "metrics-gate.exe")
	build := exec.Command("go", append(args, "-o", exe, ".")...)
	build.Dir = filepath.Join(harness.Root(), folder)
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go %v: %v\n%s", args, err, out)
	}
	return exe
}
