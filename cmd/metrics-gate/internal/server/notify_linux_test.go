package server_test

import (
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
)

// systemd listens as PID 1 does, and returns what it is told.
func systemd(t *testing.T) <-chan string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	told := make(chan string, 64)
	go func() {
		defer close(told)
		b := make([]byte, 4096)
		for {
			n, err := conn.Read(b)
			if err != nil {
				return
			}
			told <- string(b[:n])
		}
	}()
	return told
}

func next(t *testing.T, told <-chan string) string {
	t.Helper()
	select {
	case s := <-told:
		return s
	case <-time.After(10 * time.Second):
		t.Fatal("systemd is told nothing")
		return ""
	}
}

func TestSystemdIsTold(t *testing.T) {
	told := systemd(t)
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"))
	if got := next(t, told); got != "READY=1" {
		t.Errorf("at start: %q", got)
	}
	f.Signals <- syscall.SIGHUP
	got := next(t, told)
	stamp, ok := strings.CutPrefix(got, "RELOADING=1\nMONOTONIC_USEC=")
	if usec, err := strconv.ParseInt(stamp, 10, 64); !ok || err != nil || usec <= 0 {
		t.Errorf("at reload: %q", got)
	}
	if got := next(t, told); got != "READY=1" {
		t.Errorf("after the reload: %q", got)
	}
	f.Signals <- syscall.SIGTERM
	if got := next(t, told); got != "STOPPING=1" {
		t.Errorf("at the end: %q", got)
	}
	if err := f.Wait(t); err != nil {
		t.Error(err)
	}
}

// The watchdog is patted while the listener shakes hands, and no longer.
func TestWatchdogAsksTheListener(t *testing.T) {
	told := systemd(t)
	t.Setenv("WATCHDOG_USEC", "300000")
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), certificatesOnly()...)
	for range 3 {
		if got := next(t, told); got != "READY=1" && got != "WATCHDOG=1" {
			t.Errorf("%q", got)
		}
	}
	if strings.Contains(f.Log.String(), "handshake failed") {
		t.Errorf("the watchdog's connections are logged as faults:\n%s", f.Log.String())
	}
}
