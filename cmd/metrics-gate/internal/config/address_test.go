package config

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

func TestListenAddress(t *testing.T) {
	for text, want := range map[string]struct{ network, hostPort, dial string }{
		":9253":                {"tcp", ":9253", "127.0.0.1:9253"},
		"9999":                 {"tcp", ":9999", "127.0.0.1:9999"},
		"192.0.2.1":            {"tcp4", "192.0.2.1:9253", "192.0.2.1:9253"},
		"0.0.0.0":              {"tcp4", "0.0.0.0:9253", "127.0.0.1:9253"},
		"0.0.0.0:1":            {"tcp4", "0.0.0.0:1", "127.0.0.1:1"},
		"[::]:9253":            {"tcp", "[::]:9253", "127.0.0.1:9253"},
		"::1":                  {"tcp", "[::1]:9253", "[::1]:9253"},
		"2001:db8::1":          {"tcp", "[2001:db8::1]:9253", "[2001:db8::1]:9253"},
		"[2001:db8::1]":        {"tcp", "[2001:db8::1]:9253", "[2001:db8::1]:9253"},
		":https":               {"tcp", ":443", "127.0.0.1:443"},
		"gate.example":         {"tcp", "gate.example:9253", "gate.example:9253"},
		"gate.example:":        {"tcp", "gate.example:9253", "gate.example:9253"},
		"localhost:9253":       {"tcp", "localhost:9253", "127.0.0.1:9253"},
		"[::ffff:192.0.2.1]:1": {"tcp4", "192.0.2.1:1", "192.0.2.1:1"},
		"gate.example:ssh":     {"tcp", "gate.example:22", "gate.example:22"},
	} {
		var a ListenAddress
		if err := a.UnmarshalText([]byte(text)); err != nil || a.String() != text {
			t.Errorf("%s: %v, %s", text, err, a)
		}
		if a.Network() != want.network || a.HostPort() != want.hostPort || a.DialAddress() != want.dial {
			t.Errorf("%s: %s %s, dialled at %s, want %+v", text, a.Network(), a.HostPort(), a.DialAddress(), want)
		}
	}
	for _, text := range []string{":nonsense", "65536", "123456", "gate.example:99999", "a b", "https://gate",
		"[::1]:x", ": 9253", "300.1.1.1:9253", "1.2.3", "gate example:1"} {
		var a ListenAddress
		if err := a.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%s: taken as %s", text, a.HostPort())
		}
	}
}

func TestAdminAddress(t *testing.T) {
	for text, want := range map[string]string{"localhost:9254": "127.0.0.1:9254", ":9254": ":9254",
		"[::1]:1": "[::1]:1"} {
		var a AdminAddress
		if err := a.UnmarshalText([]byte(text)); err != nil || a.Off || a.HostPort() != want {
			t.Errorf("%s: %v %+v", text, err, a)
		}
	}
	var a AdminAddress
	if err := a.UnmarshalText([]byte("off")); err != nil || !a.Off || a.String() != "off" {
		t.Errorf("off: %v %+v", err, a)
	}
	for _, text := range []string{"9254", "localhost", "localhost:", "on"} {
		if err := a.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%s: taken as %+v", text, a)
		}
	}
}

// The advice about UPSTREAM_URL keeps the host and the port that were meant.
func TestNearestUpstream(t *testing.T) {
	for value, want := range map[string]string{
		"https://localhost:32003":         "http://localhost:32003",
		"http://localhost:32003/metrics":  "http://localhost:32003",
		"[::1]:9262/metrics?a=b":          "http://[::1]:9262",
		"http://me:s/cret@127.0.0.1:9262": "http://127.0.0.1:9262",
		"http://127.0.0.1:9262?x=a@pa55":  "http://localhost:9252",
		"https://":                        "http://localhost:9252",
		"localhost:port":                  "http://localhost:9252",
		"":                                "http://localhost:9252",
	} {
		if got := advice(reflect.TypeFor[UpstreamAddress](), nil, value); got != "write "+want {
			t.Errorf("%s: %s, want %s", value, got, want)
		}
	}
}

// A listener on all addresses takes what one of them gets; IPv4 alone takes no IPv6.
func TestCovers(t *testing.T) {
	for _, test := range []struct {
		own, other string
		want       bool
	}{
		{":9253", "127.0.0.1:9253", true}, {":9253", "[::1]:9253", true}, {":9253", "127.0.0.1:9254", false},
		{"0.0.0.0:9253", "127.0.0.1:9253", true}, {"0.0.0.0:9253", "[::1]:9253", false},
		{"[::]:9253", "127.0.0.1:9253", true},
		{"127.0.0.1:9253", "127.0.0.1:9253", true}, {"localhost:9253", "127.0.0.1:9253", true},
		{"127.0.0.1:9253", "0.0.0.0:9253", true},
		{"127.0.0.1:9253", ":9253", true}, {"127.0.0.1:9253", "127.0.0.2:9253", false},
		{"gate.example:1", "gate.example:1", true},
		{"LOCALHOST:9253", "127.0.0.1:9253", true}, {"[::ffff:127.0.0.1]:9253", "127.0.0.1:9253", true},
		{":https", "127.0.0.1:443", true}, {"GATE.example:1", "gate.example:1", true},
		{"gate.example:1", "127.0.0.1:1", false}, {":0", "127.0.0.1:0", false},
	} {
		var own ListenAddress
		if err := own.UnmarshalText([]byte(test.own)); err != nil {
			t.Fatal(err)
		}
		if got := own.covers(test.other); got != test.want {
			t.Errorf("%s covers %s: %v", test.own, test.other, got)
		}
	}
}

// A gate is not its own upstream because a runner elsewhere has the same port.
func TestOwnUpstream(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]bool{
		"localhost:9253": true, "http://127.0.0.1:9253": true, "127.0.0.2:9253": true, "[::1]:9253": true,
		"localhost:9254": true, host + ":9253": true, "localhost:9252": false, "192.0.2.77:9253": false,
		"runner.example:9253": false,
	} {
		_, err := Load(good("METRICS_GATE_UPSTREAM_ALLOW_REMOTE=true", "METRICS_GATE_UPSTREAM_URL="+url))
		if got := slices.Equal(blamed(t, err), []string{Prefix + "UPSTREAM_URL"}); got != want {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// UPSTREAM_ALLOW_REMOTE is advised for a remote host alone, and no port but the one that is set.
func TestAdviceAboutRemoteUpstream(t *testing.T) {
	for url, want := range map[string]bool{
		"runner.example:9252": true, "http://192.0.2.1:9252": true, "[2001:db8::1]:9252": true,
		"https://localhost:9252": false, "https://runner.example:9252": false, "localhost:99999": false,
		"http://localhost:9252/metrics": false, "0.0.0.0:9252": false, "user:secret@localhost": false,
		"localhost:9253": false, "runner example": false,
	} {
		_, err := Load(good("METRICS_GATE_UPSTREAM_URL=" + url))
		reports := cli.ErrorReports(err)
		if len(reports) != 1 || reports[0].Thing != Prefix+"UPSTREAM_URL" || reports[0].Advice == "" {
			t.Errorf("%s: %+v", url, reports)
			continue
		}
		if got := strings.Contains(reports[0].Advice, "UPSTREAM_ALLOW_REMOTE"); got != want {
			t.Errorf("%s: %s", url, reports[0].Advice)
		}
	}
	for set, port := range map[string]string{"runner.example:19252": ":19252", "runner.example": ":9252"} {
		_, err := Load(good("METRICS_GATE_UPSTREAM_URL=" + set))
		if advice := cli.ErrorReports(err)[0].Advice; !strings.Contains(advice, "http://localhost"+port+",") {
			t.Errorf("%s: %s", set, advice)
		}
	}
	_, err := Load(good("METRICS_GATE_LISTEN_ADDRESS=:9252", "METRICS_GATE_UPSTREAM_URL=localhost:9252"))
	if advice := cli.ErrorReports(err)[0].Advice; strings.Contains(advice, "9252") {
		t.Errorf("the gate's own port is advised: %s", advice)
	}
}
