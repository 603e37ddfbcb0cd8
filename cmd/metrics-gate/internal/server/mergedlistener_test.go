package server

import (
	"errors"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// Several sockets of systemd all serve, until all are closed.
func TestListenersServeAll(t *testing.T) {
	var list []net.Listener
	for range 2 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, ln)
	}
	all := mergeListeners(list)
	if all.Addr() != list[0].Addr() {
		t.Errorf("address %s", all.Addr())
	}
	for _, ln := range list {
		client, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		server, err := all.Accept()
		if err != nil || server.RemoteAddr().String() != client.LocalAddr().String() {
			t.Fatalf("%v %v", server, err)
		}
		_, _ = client.Close(), server.Close()
	}
	if err := all.Close(); err != nil {
		t.Error(err)
	}
	if err := all.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed again: %v", err)
	}
	if _, err := all.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept when closed: %v", err)
	}
	for _, ln := range list {
		if c, err := net.Dial("tcp", ln.Addr().String()); err == nil {
			_ = c.Close()
			t.Errorf("%s still listens", ln.Addr())
		}
	}
	if mergeListeners(list[:1]) != list[0] {
		t.Error("one listener is wrapped")
	}
}

// An address that is in use comes with the way to find its holder.
func TestBindSaysHowToFindTheHolder(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	var address config.ListenAddress
	if err := address.UnmarshalText([]byte(ln.Addr().String())); err != nil {
		t.Fatal(err)
	}
	_, err = bind("ADMIN_ADDRESS", address)
	failed, ok := errors.AsType[*cli.Failure](err)
	if !ok || !strings.Contains(failed.Advice, config.Prefix+"ADMIN_ADDRESS to another port") ||
		!strings.HasPrefix(failed.Advice, listHolder(runtime.GOOS, address.Port)) {
		t.Errorf("%v %+v", err, failed)
	}
	for system, want := range map[string]string{"linux": "ss -ltnp 'sport = :9263' (as root)", "freebsd": "iTCP:9263",
		"windows": "-LocalPort 9263"} {
		if got := listHolder(system, 9263); !strings.Contains(got, want) {
			t.Errorf("%s: %s", system, got)
		}
	}
}

// The gate finds itself as its upstream where its listener is really bound.
func TestOwnUpstreamIsRefused(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	var c config.Config
	if err := c.Upstream.URL.UnmarshalText([]byte("http://" + ln.Addr().String())); err != nil {
		t.Fatal(err)
	}
	var wrong *cli.ConfigError
	if err := checkUpstream(&c, nil, ln); !errors.As(err, &wrong) || wrong.Thing != config.Prefix+"UPSTREAM_URL" {
		t.Errorf("%v, want an error that names the variable", err)
	}
	if err := c.Upstream.URL.UnmarshalText([]byte("127.0.0.1:1")); err != nil {
		t.Fatal(err)
	}
	if err := checkUpstream(&c, ln); err != nil {
		t.Error(err)
	}
}

// 0.0.0.0 means IPv4: a dual-stack listener would also answer on [::1].
func TestIPv4AddressListensOnIPv4Alone(t *testing.T) {
	var c config.Listen
	if err := c.Address.UnmarshalText([]byte("0.0.0.0:0")); err != nil {
		t.Fatal(err)
	}
	ln, err := publicListener(c)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
	if client, err := net.Dial("tcp", net.JoinHostPort("::1", port)); err == nil {
		_ = client.Close()
		t.Errorf("[::1]:%s answers", port)
	}
}
