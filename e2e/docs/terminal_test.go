package docs

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// stepTimeout bounds one command block.
const stepTimeout = time.Minute

// terminal is one shell of a machine. It keeps its folder, variables and background
// commands from block to block.
type terminal struct {
	machine *machine
	cmd     *exec.Cmd
	input   io.WriteCloser
	replies chan string // one for each step; closed when the shell has exited
}

// open starts a shell in the reader's folder.
func (m *machine) open(t *testing.T) *terminal {
	t.Helper()
	x := &terminal{machine: m, cmd: m.command("bash", "-c", "cd && exec bash"), replies: make(chan string)}
	var err error
	if x.input, err = x.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	output, err := x.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	x.cmd.Stderr = os.Stderr
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(x.replies)
		for lines := bufio.NewScanner(output); lines.Scan(); {
			x.replies <- lines.Text()
		}
	}()
	return x
}

// close ends the shell; its background commands go on.
func (x *terminal) close() { _, _ = x.cmd.Process.Kill(), x.cmd.Wait() }

// paste runs a script in the shell under options, such as "-e". It returns what the script
// printed, and an error if it failed or did not end.
func (x *terminal) paste(script, options string) (string, error) {
	if err := os.WriteFile(filepath.Join(x.machine.home, "step"), []byte(script), 0o600); err != nil {
		return "", err
	}
	fmt.Fprintf(x.input, "set %s\n. /home/step > /home/printed 2>&1 < /dev/null\necho $?\n", options)
	fmt.Fprintln(x.input, "set +e +o pipefail")
	select {
	case reply, alive := <-x.replies:
		printed := x.printed()
		if !alive {
			return printed, fmt.Errorf("a command failed")
		}
		if reply != "0" {
			return printed, fmt.Errorf("status %s", reply)
		}
		return printed, nil
	case <-time.After(stepTimeout):
		return x.printed(), fmt.Errorf("still runs after %s", stepTimeout)
	}
}

// printed returns the output of the last step so far.
func (x *terminal) printed() string {
	text, err := os.ReadFile(filepath.Join(x.machine.home, "printed"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// run runs a block. A reader looks at the output of a background command before going on:
// run waits until it is as documented.
func (x *terminal) run(t *testing.T, b block) {
	t.Helper()
	if b.kind != "console" {
		if out, err := x.paste(b.text, "-e"); err != nil {
			t.Fatalf("line %d: %v\n%s\nprinted\n%s", b.line, err, b.text, out)
		}
		return
	}
	for _, step := range strings.Split("\n"+b.text, "\n$ ")[1:] {
		command, want, _ := strings.Cut(step, "\n")
		out, err := x.paste(command, "-o pipefail")
		if strings.HasSuffix(command, "&") {
			_ = harness.Poll(10*time.Second, func() error {
				if out = x.printed(); !like(out, want) {
					return fmt.Errorf("printed %q", out)
				}
				return nil
			})
		}
		if err != nil || !like(out, want) {
			t.Fatalf("line %d: $ %s: %v\nprinted\n%s\nwant\n%s", b.line, command, err, out, want)
		}
	}
}
