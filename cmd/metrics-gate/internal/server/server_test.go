package server_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/server"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

// inFlight starts a gate with a scrape in flight, which the runner answers when told to. The
// scrape is the first of its connection, or one of those that repeat.
func inFlight(t *testing.T, repeated bool, environ ...string) (f *gatetest.Gate, release chan struct{},
	answered chan int) {
	t.Helper()
	entered, before := make(chan struct{}, 1), int64(0)
	if repeated {
		before = 2
	}
	release, answered = make(chan struct{}), make(chan int, 1)
	f = gatetest.Start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.Hits.Load() > before {
			entered <- struct{}{}
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
		gatetest.Exposes("up 1\n").ServeHTTP(w, r)
	}), environ...)
	c := f.Client(t, true)
	for range before {
		f.Ask(t, c, "GET", "/metrics")
	}
	go func() {
		response, err := c.Get("https://" + f.Server.Addr().String() + "/metrics")
		if err != nil {
			answered <- 0
			return
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		answered <- response.StatusCode
	}()
	<-entered
	return f, release, answered
}

// eachWay runs a test with a connection's first scrape and with one that repeats.
func eachWay(t *testing.T, test func(t *testing.T, repeated bool)) {
	t.Run("first", func(t *testing.T) { test(t, false) })
	t.Run("repeated", func(t *testing.T) { test(t, true) })
}

func TestStopWaitsForWhatIsInFlight(t *testing.T) {
	eachWay(t, func(t *testing.T, repeated bool) {
		f, release, answered := inFlight(t, repeated)
		f.Signals <- syscall.SIGTERM
		testwait.Eventually(t, "closed listener", func() bool {
			conn, err := net.Dial("tcp", f.Server.Addr().String())
			if err == nil {
				_ = conn.Close()
			}
			return err != nil
		})
		close(release)
		if got := <-answered; got != 200 {
			t.Errorf("the scrape in flight got %d", got)
		}
		if err := f.Wait(t); err != nil {
			t.Error(err)
		}
	})
}

func TestStopCutsAfterTheDrainTimeout(t *testing.T) {
	eachWay(t, func(t *testing.T, repeated bool) {
		f, release, _ := inFlight(t, repeated, config.Prefix+"DRAIN_TIMEOUT=100ms")
		defer close(release)
		f.Signals <- syscall.SIGTERM
		if err := f.Wait(t); !errors.Is(err, server.ErrCut) {
			t.Errorf("%v, want %v", err, server.ErrCut)
		}
	})
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	eachWay(t, func(t *testing.T, repeated bool) {
		f, release, _ := inFlight(t, repeated, config.Prefix+"DRAIN_TIMEOUT=1h")
		defer close(release)
		f.Signals <- syscall.SIGTERM
		f.Signals <- syscall.SIGTERM
		if err := f.Wait(t); !errors.Is(err, server.ErrCut) {
			t.Errorf("%v, want %v", err, server.ErrCut)
		}
	})
}

// A scraper between two scrapes holds nothing up.
func TestStopClosesWhatRepeats(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"DRAIN_TIMEOUT=1h")
	c := f.Client(t, true)
	for range 3 {
		f.Ask(t, c, "GET", "/metrics")
	}
	f.Signals <- syscall.SIGTERM
	if err := f.Wait(t); err != nil {
		t.Error(err)
	}
}

func TestLingerServesUntilTheRunnerIsGone(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"LINGER=1h")
	c := f.Client(t, true)
	f.Signals <- syscall.SIGTERM
	f.WaitFor(t, 0, "stopping")
	if response, _ := f.Ask(t, c, "GET", "/metrics"); response.StatusCode != 200 {
		t.Errorf("while the runner drains: %d", response.StatusCode)
	}
	f.Runner.Close()
	if err := f.Wait(t); err != nil {
		t.Error(err)
	}
}

func TestHangupReloads(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"))
	nobody := f.Client(t, false)
	old := f.Token(t)
	secret, line, err := auth.NewToken("prometheus")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(f.Dir, "tokens"), []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.Signals <- syscall.SIGHUP
	f.WaitFor(t, 0, "what=tokens")
	for token, want := range map[string]int{old: 401, secret: 200} {
		response, _ := f.Ask(t, nobody, "GET", "/metrics", "Authorization", "Bearer "+token)
		if response.StatusCode != want {
			t.Errorf("%d, want %d", response.StatusCode, want)
		}
	}
	if err := os.WriteFile(filepath.Join(f.Dir, "tokens"), []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.Signals <- syscall.SIGHUP
	f.WaitFor(t, 0, "reload refused")
	response, _ := f.Ask(t, nobody, "GET", "/metrics", "Authorization", "Bearer "+secret)
	if response.StatusCode != 200 {
		t.Errorf("after a bad file: %d", response.StatusCode)
	}
	_, own := f.Ask(t, nobody, "GET", "/gate/metrics", "Authorization", "Bearer "+secret)
	if !strings.Contains(own, `metrics_gate_reloads_total{result="error",what="tokens",runner_name="demo-runner"} 1`) {
		t.Error("the bad file is not counted")
	}
}

func TestAdminListener(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"))
	base := "http://" + f.Server.AdminAddr().String()
	for path, want := range map[string]int{"/livez": 200, "/readyz": 200, "/metrics": 200, "/nowhere": 404} {
		response, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, response.StatusCode, want)
		}
		if h := response.Header; h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", path, h)
		}
	}
	r, err := http.NewRequest(http.MethodGet, base+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "evil.example"
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("a rebound name reads the admin listener: %d", response.StatusCode)
	}
	if err := f.Server.Ready(time.Now().Add(365 * 24 * time.Hour)); err == nil {
		t.Error("ready with a certificate that has expired")
	}
}

func TestAdminListenerBeyondLoopbackHasProbesOnly(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"ADMIN_ADDRESS=:0")
	base := "http://" + strings.Replace(f.Server.AdminAddr().String(), "[::]", "127.0.0.1", 1)
	for path, want := range map[string]int{"/livez": 200, "/readyz": 200, "/metrics": 404, "/": 404} {
		response, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, response.StatusCode, want)
		}
	}
}

func TestPublicAddressInUse(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"))
	c := *f.Config
	if err := c.Listen.Address.UnmarshalText([]byte(f.Server.Addr().String())); err != nil {
		t.Fatal(err)
	}
	if _, err := server.New(&c, slog.New(slog.DiscardHandler), cli.Build{}); err == nil ||
		!strings.Contains(err.Error(), "LISTEN_ADDRESS") {
		t.Errorf("%v, want an error that names the variable", err)
	}
}

// Who is locked out by a typing mistake reads it in the log.
func TestStartWarnsOfPatternsThatCannotMatch(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"PPROF_ALLOW=user:nobody-can-be-this")
	f.WaitFor(t, 0, "the allow lists may not do what was meant")
}

// A connection without a request is not in flight: it holds nothing up, and is no cut.
func TestSilentConnectionIsNotInFlight(t *testing.T) {
	for name, signals := range map[string]int{"one signal": 1, "two signals": 2} {
		t.Run(name, func(t *testing.T) {
			f := gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"DRAIN_TIMEOUT=1h")
			silent, err := net.Dial("tcp", f.Server.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = silent.Close() }()
			f.Ask(t, f.Client(t, true), "GET", "/metrics") // the silent connection is accepted by now
			for range signals {
				f.Signals <- syscall.SIGTERM
			}
			if err := f.Wait(t); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMaxHeaderBytes(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"MAX_HEADER_BYTES=8192")
	c := f.Client(t, true)
	for size, want := range map[int]int{7500: http.StatusOK, 8200: http.StatusRequestHeaderFieldsTooLarge} {
		response, _ := f.Ask(t, c, "GET", "/metrics", "X-Large", strings.Repeat("x", size))
		if response.StatusCode != want {
			t.Errorf("%d bytes: %d, want %d", size, response.StatusCode, want)
		}
	}
}
