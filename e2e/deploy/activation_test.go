package deploy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// activated is what systemd is to the gate: it holds the public socket and the notify socket.
type activated struct {
	socket *os.File
	notify *net.UnixConn
	env    []string
	client *http.Client
	url    string
}

func activate(t *testing.T) *activated {
	t.Helper()
	pki := harness.NewPKI(t)
	pair := pki.Issue(t, "prometheus", testca.Options{DNSNames: []string{"prometheus.example.com"}})
	runner := harness.StartRunner(t, harness.Replay(t))
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	socket, err := ln.File()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "notify")
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _, _ = ln.Close(), socket.Close(), notify.Close() })
	a := &activated{
		socket: socket,
		notify: notify,
		client: pki.Client(pair),
		url:    "https://" + strings.Replace(ln.Addr().String(), "127.0.0.1", "localhost", 1) + "/metrics",
	}
	a.env = []string{"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=600000", harness.Prefix + "ADMIN_ADDRESS=off",
		harness.Prefix + "UPSTREAM_URL=" + runner.Address, harness.Prefix + "METRICS_ALLOW=dns:prometheus.example.com",
		harness.Prefix + "RATE_LIMIT=100000", harness.Prefix + "RATE_BURST=100000"}
	for _, e := range pki.Environ(true) {
		a.env = append(a.env, harness.Prefix+e)
	}
	return a
}

// start is what systemd does to start the service.
func (a *activated) start(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0"`, harness.Binary(t))
	cmd.Env = append([]string{"LISTEN_FDS=1", "LISTEN_FDNAMES=metrics-gate.socket"}, a.env...)
	cmd.ExtraFiles = []*os.File{a.socket}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	a.expect(t, "READY=1")
	return cmd
}

// expect waits for a notification that has a line which begins so.
func (a *activated) expect(t *testing.T, want string) {
	t.Helper()
	buf := make([]byte, 4096)
	for deadline := time.Now().Add(10 * time.Second); ; {
		_ = a.notify.SetReadDeadline(deadline)
		n, err := a.notify.Read(buf)
		if err != nil {
			t.Fatalf("%s was not notified: %v", want, err)
		}
		for line := range strings.SplitSeq(string(buf[:n]), "\n") {
			if strings.HasPrefix(line, want) {
				return
			}
		}
	}
}

// stop is what systemd does to stop it.
func (a *activated) stop(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	_ = cmd.Process.Signal(syscall.SIGTERM)
	a.expect(t, "STOPPING=1")
	if err := cmd.Wait(); err != nil {
		t.Errorf("the gate ended with %v", err)
	}
}

func (a *activated) scrape(client *http.Client) error {
	response, err := client.Get(a.url)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || !strings.Contains(string(body), "runner_name=")) {
		err = fmt.Errorf("%s, %d bytes", response.Status, len(body))
	}
	return err
}

// TestRestartLosesNoScrape restarts the gate under two scrapers, one that keeps its connection and one that never does.
func TestRestartLosesNoScrape(t *testing.T) {
	a := activate(t)
	fresh := a.client.Transport.(*http.Transport).Clone()
	fresh.DisableKeepAlives = true
	gate := a.start(t)

	stop := make(chan struct{})
	var running sync.WaitGroup
	counts := make([]int, 2)
	for i, client := range []*http.Client{a.client, {Transport: fresh, Timeout: 30 * time.Second}} {
		running.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := a.scrape(client); err != nil {
					t.Errorf("scraper %d: %v", i, err)
					return
				}
				counts[i]++
			}
		})
	}
	for range 4 {
		time.Sleep(150 * time.Millisecond) //permit:time.Sleep scrapes run between restarts
		a.stop(t, gate)
		gate = a.start(t)
	}
	close(stop)
	running.Wait()
	a.stop(t, gate)
	if counts[0] < 20 || counts[1] < 20 {
		t.Errorf("%d scrapes", counts)
	}
	t.Logf("%d scrapes over 4 restarts", counts)
}

// TestNotify: reload and watchdog are told as systemd wants to hear them.
func TestNotify(t *testing.T) {
	a := activate(t)
	gate := a.start(t)
	a.expect(t, "WATCHDOG=1")
	_ = gate.Process.Signal(syscall.SIGHUP)
	a.expect(t, "RELOADING=1")
	a.expect(t, "READY=1")
	a.expect(t, "WATCHDOG=1")
	a.stop(t, gate)
}

// TestSocketActivate: systemd's own tool starts the gate at the first connection, and that one is answered.
func TestSocketActivate(t *testing.T) {
	a := activate(t)
	address := harness.FreeAddress(t)
	args := []string{"--listen=" + address}
	for _, e := range a.env {
		if !strings.HasPrefix(e, "WATCHDOG_USEC") {
			args = append(args, "--setenv="+e)
		}
	}
	cmd := exec.Command(tool(t, "systemd-socket-activate"), append(args, harness.Binary(t))...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	a.url = "https://" + strings.Replace(address, "127.0.0.1", "localhost", 1) + "/metrics"
	// Refused only until the tool listens.
	if err := harness.Poll(10*time.Second, func() error { return a.scrape(a.client) }); err != nil {
		t.Fatal(err)
	}
	a.expect(t, "READY=1")
	a.stop(t, cmd)
}
