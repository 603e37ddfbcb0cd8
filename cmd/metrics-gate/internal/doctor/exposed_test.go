package doctor

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// onEveryAddress serves body like a runner that is bound to all addresses.
func onEveryAddress(t *testing.T, body string) (port string) {
	t.Helper()
	ln, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: ln,
		Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(body))
		})}}
	s.Start()
	t.Cleanup(s.Close)
	_, port, err = net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestDoctorFindsAnExposedRunner(t *testing.T) {
	other := func() []netip.Addr {
		return []netip.Addr{netip.MustParseAddr(
			"127.0.0.2")}
	} // another address of this machine
	port := onEveryAddress(t, "gitlab_runner_concurrent 4\n")
	d := patient(t, config.Prefix+"UPSTREAM_URL=127.0.0.1:"+port)
	d.host.addresses = other
	expect(t, d.exposure(t.Context()), cli.LevelFail,
		"answers on 127.0.0.2:"+port+" without any credential, so the gate is bypassed")
	expect(t, d.exposure(t.Context()), cli.LevelFail, `listen_address = "127.0.0.1:`+port+`"`)

	d = patient(t, config.Prefix+"UPSTREAM_URL=127.0.0.1:"+onEveryAddress(t, "hello\n"))
	d.host.addresses = other
	expect(t, d.exposure(t.Context()), cli.LevelWarn, "something listens on 127.0.0.2")

	d = patient(t, config.Prefix+"UPSTREAM_URL=127.0.0.1:9")
	d.host.addresses = other
	expect(t, d.exposure(t.Context()), cli.LevelOK, "on none of this machine's 1 other addresses")

	d = patient(t, config.Prefix+"UPSTREAM_URL=192.0.2.1:9252", config.Prefix+"UPSTREAM_ALLOW_REMOTE=true")
	expect(t, d.exposure(t.Context()), cli.LevelWarn, "not loopback")
	if found := d.sockets(); found != nil {
		t.Errorf("%+v", found)
	}
}

func TestLocalAddressesAreNotLoopback(t *testing.T) {
	for _, address := range localAddresses() {
		if address.IsLoopback() || !address.IsValid() {
			t.Errorf("%s", address)
		}
		if _, err := netip.ParseAddr(address.String()); err != nil {
			t.Error(err)
		}
	}
}

// fakeProc is a /proc with these sockets, of which process 77, gitlab-runner, holds 4711.
func fakeProc(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"net/tcp": procFile(t, "proc_net_tcp"), "net/tcp6": procFile(t, "proc_net_tcp6"), "77/comm": "gitlab-runner\n",
		"77/environ": "HOME=/\x00LISTEN_ADDRESS=0.0.0.0:9252\x00",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "77/fd"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("socket:[4711]", filepath.Join(dir, "77/fd/5")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestDoctorReadsListeners(t *testing.T) {
	d := patient(t, config.Prefix+"UPSTREAM_URL=127.0.0.1:9252")
	d.host.proc = fakeProc(t)
	found := d.sockets()
	if len(found) != 4 {
		t.Fatalf("%d findings: %+v", len(found), found)
	}
	expect(t, found, cli.LevelOK, "127.0.0.1:9252 is held by gitlab-runner, process 77, uid 998")
	expect(t, found, cli.LevelFail, "0.0.0.0:9252 (uid 0) takes connections on every address")
	expect(t, found, cli.LevelFail, "192.0.2.5:9252 (uid 0) is reachable from outside")
	expect(t, found, cli.LevelWarn, "[::1]:9252 (uid 1000) has the runner's port on another loopback address")
	expect(t, d.runnerConfig(), cli.LevelFail, `LISTEN_ADDRESS is "0.0.0.0:9252"`)
	d.host.proc = t.TempDir()
	if found := d.sockets(); len(found) > 0 {
		t.Errorf("without /proc: %+v", found)
	}
}

func TestParseProcAddress(t *testing.T) {
	for in, want := range map[string]string{
		"0100007F:2424":                         "127.0.0.1:9252",
		"0000000000000000FFFF00000100007F:2424": "127.0.0.1:9252",
		"B80D0120000000000000000001000000:0050": "[2001:db8::1]:80",
		"0100007F":                              "", "zz:1": "", "01:99": "", "0100007F:FFFFF": "",
	} {
		got, ok := parseProcAddress(in)
		if ok != (want != "") || (ok && got.String() != want) {
			t.Errorf("%s: %s %v, want %q", in, got, ok, want)
		}
	}
}

func TestDoctorReadsTheRunnersConfiguration(t *testing.T) {
	d := patient(t, config.Prefix+"UPSTREAM_URL=127.0.0.1:9252")
	dir := t.TempDir()
	toml, environ := filepath.Join(dir, "config.toml"), filepath.Join(dir, "gitlab-runner")
	d.host.toml, d.host.environ = []string{toml, filepath.Join(dir, "none.toml")}, []string{environ}
	write := func(path, content string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ toml, level, text string }{
		{"concurrent = 4\nlisten_address = \"127.0.0.1:9252\"\n", cli.LevelOK, `listen_address is "127.0.0.1:9252"`},
		{"listen_address = 'localhost:9252' # loopback\n", cli.LevelOK, "localhost:9252"},
		{"listen_address=\":9252\"\n", cli.LevelFail, "not loopback"},
		{"listen_address = \"0.0.0.0:9252\"\n", cli.LevelFail, `write listen_address = "127.0.0.1:9252"`},
		{"listen_address = \"[::]:9252\"\n", cli.LevelFail, "not loopback"},
		{"listen_address = \"127.0.0.1:9999\"\n", cli.LevelWarn, "the gate asks port 9252"},
	} {
		write(toml, test.toml)
		expect(t, d.runnerConfig(), test.level, test.text)
	}
	write(toml, "[[runners]]\nlisten_address = \":9252\"\n# listen_address = \":1\"\n")
	if found := d.runnerConfig(); len(found) > 0 {
		t.Errorf("not the global key: %+v", found)
	}
	write(toml, "listen_address = \":9253\"\n")
	write(environ, "# the chart's way\nexport LISTEN_ADDRESS=\"127.0.0.1:9252\"\n")
	found := d.runnerConfig()
	if cli.Worst(found) != cli.LevelOK || len(found) != 2 {
		t.Errorf("LISTEN_ADDRESS wins: %+v", found)
	}
	expect(t, found, cli.LevelOK, "LISTEN_ADDRESS wins over it")
}

func TestThisHost(t *testing.T) {
	h := thisHost([]string{"CONFIG_FILE=/a/config.toml", "HOME=/home/runner"})
	if got := fmt.Sprint(h.toml); !strings.HasPrefix(got, "[/a/config.toml ") ||
		!strings.HasSuffix(got, " /home/runner/.gitlab-runner/config.toml]") {
		t.Error(got)
	}
}

// procFile reads what Linux wrote with four listeners and one connection.
func procFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
