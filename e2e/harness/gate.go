package harness

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

// Prefix is the common prefix of the gate's variables.
const Prefix = "METRICS_GATE_"

// built builds the gate once in this test process and returns its path.
var built = sync.OnceValues(func() (string, error) {
	// git ignores bin. The rename keeps a gate of another package running: its file stays.
	path := filepath.Join(Root(), "bin", "metrics-gate-e2e")
	fresh := fmt.Sprintf("%s.%d", path, os.Getpid())
	build := exec.Command("go", "build", "-trimpath", "-o", fresh, "./cmd/metrics-gate")
	build.Dir = Root()
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	if err := os.Rename(fresh, path); err != nil {
		return "", err
	}
	return path, nil
})

// Root returns the root directory of the project.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Binary builds the gate once and returns its path.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Gate is a running metrics-gate.
type Gate struct {
	Address string // public, host:port
	Admin   string // admin, host:port
	Process *exec.Cmd
	log     testwait.Buffer
	done    chan struct{}
	err     error
}

// StartGate runs the binary and waits until it is ready. An entry of environ is
// "NAME=value" without the prefix, or "$NAME=value" for a variable without it. The gate
// is killed when the test ends.
func StartGate(t testing.TB, environ ...string) *Gate {
	t.Helper()
	g := LaunchGate(t, environ...)
	if err := WaitHTTP("http://"+g.Admin+"/readyz", 10*time.Second); err != nil {
		t.Fatalf("gate: %v\n%s", err, g.Log())
	}
	return g
}

// LaunchGate is StartGate without the wait.
func LaunchGate(t testing.TB, environ ...string) *Gate {
	t.Helper()
	g := &Gate{Address: FreeAddress(t), Admin: FreeAddress(t), done: make(chan struct{})}
	all := []string{"LISTEN_ADDRESS=" + g.Address, "ADMIN_ADDRESS=" + g.Admin, "LOG_LEVEL=debug"}
	g.Process = exec.Command(Binary(t))
	g.Process.Env = []string{"PATH=" + os.Getenv("PATH")}
	for _, entry := range append(all, environ...) {
		whole, ok := strings.CutPrefix(entry, "$")
		if !ok {
			whole = Prefix + entry
		}
		g.Process.Env = append(g.Process.Env, whole)
	}
	g.Process.Stdout, g.Process.Stderr = &g.log, &g.log
	if err := g.Process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		g.err = g.Process.Wait()
		close(g.done)
	}()
	t.Cleanup(func() {
		_ = g.Process.Process.Kill()
		<-g.done
		if t.Failed() {
			t.Logf("log of the gate:\n%s", tail(g.Log(), 60))
		}
	})
	return g
}

// Log returns all output of the gate so far.
func (g *Gate) Log() string { return g.log.String() }

// Signal sends sig to the gate.
func (g *Gate) Signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := g.Process.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// Exit waits until the gate exits and returns its exit code.
func (g *Gate) Exit(t testing.TB, within time.Duration) int {
	t.Helper()
	select {
	case <-g.done:
	case <-time.After(within):
		t.Fatalf("the gate still runs after %s\n%s", within, tail(g.Log(), 30))
	}
	var exit *exec.ExitError
	if g.err != nil && !errors.As(g.err, &exit) {
		t.Fatal(g.err)
	}
	return g.Process.ProcessState.ExitCode()
}

// WaitHTTP waits until url answers 200.
func WaitHTTP(url string, within time.Duration) error {
	client := http.Client{Timeout: 5 * time.Second}
	err := Poll(within, func() error {
		response, err := client.Get(url)
		if err != nil {
			return err
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return errors.New(response.Status)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	return nil
}

// taken counts the addresses that FreeAddress has returned.
var taken atomic.Int64

// FreeAddress returns a loopback address on which nothing listens. Its port is below the
// range of outgoing connections, of which the tests open thousands.
func FreeAddress(t testing.TB) string {
	t.Helper()
	const lowest, ports = 10000, 20000
	for range ports {
		port := lowest + (int64(os.Getpid())*97+taken.Add(1))%ports
		ln, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
		if err == nil {
			_ = ln.Close()
			return ln.Addr().String()
		}
	}
	t.Fatal("no address is free")
	return ""
}

func tail(s string, lines int) string {
	all := strings.Split(s, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
