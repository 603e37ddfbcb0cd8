package doctor

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
)

const oneRunner = `gitlab_runner_version_info{version="19.3.0"} 1` + "\n"

// outsider is a doctor that has the credentials of f's Prometheus, and no settings.
func outsider(t *testing.T, f *gatetest.Gate, c client.Credentials) []cli.Finding {
	t.Helper()
	d := &doctor{now: time.Now, url: "https://" + f.Server.Addr().String(), outside: true, client: c,
		settings: gateSettings(nil),
		host:     host{proc: t.TempDir(), addresses: func() []netip.Addr { return nil }}}
	found, err := d.examine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A gate of another machine is judged by what it shows, and what is left out is said.
func TestDoctorFromOutside(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes(oneRunner))
	file := func(name string) string { return filepath.Join(f.Dir, name) }
	found := outsider(t, f, client.Credentials{CA: file("ca.pem"), TokenFile: file("token")})
	expect(t, found, cli.LevelOK, "200 with these credentials")
	expect(t, found, cli.LevelOK, "certificate of the gate: for localhost")
	expect(t, found, cli.LevelOK, `runner: version 19.3.0, every sample gets runner_name="demo-runner"`)
	expect(t, found, cli.LevelOK, "left out: configuration")
	if cli.Worst(found) != cli.LevelOK {
		t.Errorf("%+v", found)
	}
	expect(t, outsider(t, f, client.Credentials{TokenFile: file("token")}), cli.LevelFail, "--ca FILE")
	expect(t, outsider(t, f, client.Credentials{CA: file("ca.pem"), ServerName: "runner.example"}), cli.LevelFail,
		"only the name differs: give --server-name localhost")
	f.Runner.Close()
	expect(t, outsider(t, f, client.Credentials{CA: file("ca.pem"), TokenFile: file("token")}), cli.LevelFail,
		"run metrics-gate doctor on the gate's host")

	strict := gatetest.Start(t, gatetest.Exposes(oneRunner), config.Prefix+"TOKENS_FILE",
		config.Prefix+"METRICS_ALLOW=dns:prometheus.demo")
	ca := filepath.Join(strict.Dir, "ca.pem")
	expect(t, outsider(t, strict, client.Credentials{CA: ca}), cli.LevelOK, "refuses a caller without a certificate")
	token := client.Credentials{CA: ca, TokenFile: file("token")}
	expect(t, outsider(t, strict, token), cli.LevelFail, "give --cert and --key")
}

// The gate's own metrics name no runner's version, and are not judged as if they should.
func TestDoctorOfTheGatesOwnMetrics(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes(oneRunner))
	file := func(name string) string { return filepath.Join(f.Dir, name) }
	d := &doctor{now: time.Now, url: "https://" + f.Server.Addr().String() + "/gate/metrics", outside: true,
		client:   client.Credentials{CA: file("ca.pem"), TokenFile: file("token")},
		settings: gateSettings(nil), host: host{proc: t.TempDir(), addresses: func() []netip.Addr { return nil }}}
	found, err := d.examine(t.Context())
	if err != nil || cli.Worst(found) != cli.LevelOK {
		t.Errorf("%v %+v", err, found)
	}
}

// The command needs no settings for a gate of another machine, and says so in its first line.
func TestDoctorCommandFromOutside(t *testing.T) {
	var out, errors bytes.Buffer
	code := gatetest.Run(t.Context(), Command(), gatetest.Process(nil, &out, &errors), "--url", "192.0.2.1:9",
		"--ca", "none.pem")
	first, rest, _ := strings.Cut(out.String(), "\n")
	if code != 1 || first != "settings of no gate here: what 192.0.2.1:9 shows from outside" ||
		!strings.Contains(rest, `--ca "none.pem"`) {
		t.Errorf("%d %s%s", code, out.String(), errors.String())
	}
}

func TestIsHere(t *testing.T) {
	h := host{addresses: func() []netip.Addr { return []netip.Addr{netip.MustParseAddr("192.0.2.7")} }}
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true, "192.0.2.7": true,
		"192.0.2.8": false, name: true, "none.invalid": false} {
		if got := h.isHere(t.Context(), host); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
}

// What answers at another port than the gate's is named.
func TestDoctorNamesWhoAnswers(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes(oneRunner))
	file := func(name string) string { return filepath.Join(f.Dir, name) }
	other := gatetest.Start(t, gatetest.Exposes(oneRunner))
	for url, want := range map[string]string{
		f.Runner.URL: "the runner itself answers",
		"https://" + f.Runner.Listener.Addr().String():   "no TLS is spoken there: the runner itself answers",
		"http://" + f.Server.AdminAddr().String():        "a gate's admin listener answers",
		"https://" + f.Server.AdminAddr().String() + "/": "no TLS is spoken there: a gate's admin listener answers",
		"http://" + f.Server.Addr().String():             "write https://",
		"https://" + other.Server.Addr().String():        "it is this gate, and not another one",
	} {
		for _, c := range []client.Credentials{{}, {Cert: file("client.pem"), Key: file("client-key.pem")}} {
			d := visitor(t, f, c)
			d.url = url
			expect(t, d.scrape(t), cli.LevelFail, want)
		}
	}
}

// What holds the gate's own port, and is no gate, is named.
func TestDoctorNamesTheHolderOfItsPort(t *testing.T) {
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	address := other.Listener.Addr().String()
	d := patient(t, config.Prefix+"LISTEN_ADDRESS="+address)
	_, port, _ := strings.Cut(address, ":")
	listensAt(t, d, port)
	expect(t, d.scrape(t), cli.LevelFail, "this is no metrics-gate; there listens uid 997")
}

// systemd takes the connection for a gate that does not run, and nobody answers on it.
func TestDoctorOfASocketWithoutItsGate(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	d := patient(t, config.Prefix+"LISTEN_ADDRESS="+ln.Addr().String())
	_, port, _ := strings.Cut(ln.Addr().String(), ":")
	listensAt(t, d, port)
	d.settings.Stopped = "metrics-gate.service"
	found := d.scrape(t)
	expect(t, found, cli.LevelFail, "systemd's socket waits for the gate, and metrics-gate.service does not run")
	expect(t, found, cli.LevelFail, "journalctl -u metrics-gate.service says why; systemctl start is no cure")
	d.settings.Stopped = ""
	if found := d.scrape(t); strings.Contains(found[0].What, "systemd") {
		t.Errorf("%+v", found)
	}
}

// At another port than that of the settings, the process that listens there is named.
func TestDoctorNamesTheHolderOfAnotherPort(t *testing.T) {
	d := patient(t, config.Prefix+"LISTEN_ADDRESS=127.0.0.1:8")
	d.client = client.Credentials{TokenFile: filepath.Join(filepath.Dir(d.config.Allow.TokensFile), "token")}
	listens(t, d) // at port 9
	d.url = "https://127.0.0.1:9"
	expect(t, d.scrape(t), cli.LevelWarn, "these settings have port 8, and there listens uid 997")
	f := gatetest.Start(t, gatetest.Exposes(oneRunner)) // another gate, which takes the token
	d = visitor(t, f, client.Credentials{TokenFile: filepath.Join(f.Dir, "token")})
	d.url = "https://" + f.Server.Addr().String()
	d.config.Listen.Address.Port = 9
	_, port, _ := strings.Cut(f.Server.Addr().String(), ":")
	listensAt(t, d, port)
	expect(t, d.scrape(t), cli.LevelOK, "200 with these")
	expect(t, d.scrape(t), cli.LevelWarn, "these settings have port 9, and there listens uid 997")
	d.url = "https://127.0.0.1:9"
	if found := d.scrape(t); len(found) != 1 {
		t.Errorf("%+v", found)
	}
}
