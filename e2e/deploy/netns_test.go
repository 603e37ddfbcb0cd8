package deploy

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// netns is a network namespace: a host or a pod of a test.
type netns struct{ name, address string }

// newNetns makes a namespace with its loopback up. It needs root.
func newNetns(t *testing.T, name string) netns {
	t.Helper()
	n := netns{name: fmt.Sprintf("mg%d-%s", os.Getpid(), name)}
	good(t, "ip", "netns", "add", n.name)
	path := tool(t, "ip")
	t.Cleanup(func() { _ = exec.Command(path, "netns", "del", n.name).Run() })
	good(t, "ip", "-n", n.name, "link", "set", "lo", "up")
	return n
}

// connect lays a cable between two namespaces, a network of its own; b's way out is a.
func connect(t *testing.T, a, b *netns, network int, name string) {
	t.Helper()
	a.address, b.address = fmt.Sprintf("10.77.%d.1", network), fmt.Sprintf("10.77.%d.2", network)
	good(t, "ip", "-n", a.name, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", b.name)
	good(t, "ip", "-n", a.name, "addr", "add", a.address+"/24", "dev", name)
	good(t, "ip", "-n", b.name, "addr", "add", b.address+"/24", "dev", "eth0")
	good(t, "ip", "-n", a.name, "link", "set", name, "up")
	good(t, "ip", "-n", b.name, "link", "set", "eth0", "up")
	good(t, "ip", "-n", b.name, "route", "add", "default", "via", a.address)
}

// in runs f on a thread that is inside the namespace; sockets and processes that it makes stay there.
func (n netns) in(t *testing.T, f func() error) error {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		fd, err := os.Open("/run/netns/" + n.name)
		if err == nil {
			err = unix.Setns(int(fd.Fd()), unix.CLONE_NEWNET)
			_ = fd.Close()
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}

// listen makes a listener in the namespace.
func (n netns) listen(t *testing.T, address string) net.Listener {
	t.Helper()
	var ln net.Listener
	err := n.in(t, func() (err error) {
		ln, err = net.Listen("tcp4", address)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// dial tells what comes of a connection from the namespace: "open", "refused", "lost".
func (n netns) dial(t *testing.T, address string) string {
	t.Helper()
	err := n.in(t, func() error {
		conn, err := net.DialTimeout("tcp4", address, 500*time.Millisecond)
		if err == nil {
			_ = conn.Close()
		}
		return err
	})
	var timeout net.Error
	switch {
	case err == nil:
		return "open"
	case strings.Contains(err.Error(), "refused"):
		return "refused"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "lost"
	}
	return err.Error()
}

// site is a host with a runner on loopback and a gate before it.
type site struct {
	netns
	pki *harness.PKI
}

// newSite starts the runner, bound to loopback as the manifests bind it, and the gate as another user.
func newSite(t *testing.T, host netns, uid uint32, environ ...string) site {
	t.Helper()
	s := site{netns: host, pki: harness.NewPKI(t)}
	s.pki.Issue(t, "prometheus", testca.Options{DNSNames: []string{"prometheus.example.com"}})
	harness.StartRunnerOn(t, host.listen(t, "127.0.0.1:9252"), harness.Replay(t))

	// The gate's user must reach its binary and read its files.
	content, err := os.ReadFile(harness.Binary(t))
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(s.pki.Dir, "metrics-gate")
	if err := os.WriteFile(binary, content, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{s.pki.Dir, filepath.Dir(s.pki.Dir)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"server.pem", "server-key.pem", "ca.pem"} {
		if err := os.Chown(s.pki.File(name), int(uid), int(uid)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(binary)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	for _, e := range append(append(s.pki.Environ(true), "METRICS_ALLOW=dns:prometheus.example.com"), environ...) {
		cmd.Env = append(cmd.Env, harness.Prefix+e)
	}
	cmd.Stderr = os.Stderr
	if err := host.in(t, cmd.Start); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	harness.Eventually(t, "the gate listens", func() bool { return host.dial(t, "127.0.0.1:9253") == "open" })
	return s
}

// curl asks from a namespace as a user; the answer's status, or curl's exit code.
func (s site) curl(t *testing.T, from netns, uid uint32, args ...string) string {
	t.Helper()
	quiet := []string{"-sS", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "2"}
	cmd := exec.Command(tool(t, "curl"), append(quiet, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	var r result
	if err := from.in(t, func() error { r = finish(t, cmd); return nil }); err != nil {
		t.Fatal(err)
	}
	if r.code != 0 {
		return fmt.Sprintf("exit %d", r.code)
	}
	return r.stdout
}

// scrape is a scrape of the gate as Prometheus makes it, of the gate's address on the given host.
func (s site) scrape(t *testing.T, from netns, host string) string {
	t.Helper()
	return s.curl(t, from, 0, "--cacert", s.pki.File("ca.pem"),
		"--cert", s.pki.File("prometheus.pem"), "--key", s.pki.File("prometheus-key.pem"),
		"--connect-to", "localhost:9253:"+host+":9253", "https://localhost:9253/metrics")
}
