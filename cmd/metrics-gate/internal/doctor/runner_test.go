package doctor

import (
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// A doctor whose configuration does not load looks around within sane limits.
func TestDoctorIsBound(t *testing.T) {
	d := &doctor{settings: gateSettings([]string{config.Prefix + "UPSTREAM_TIMEOUT=-1s",
		config.Prefix + "UPSTREAM_MAX_BYTES=0", config.Prefix + "UPSTREAM_MAX_LINE_BYTES=-5",
		config.Prefix + "UPSTREAM_URL=nonsense://"})}
	found := d.configuration()
	expect(t, found, cli.LevelFail, "UPSTREAM_TIMEOUT")
	u := d.config.Upstream
	if u.Timeout != doctorTimeout || u.MaxBytes <= 0 || u.MaxLineBytes <= 0 || d.upstream() != "127.0.0.1:9252" {
		t.Errorf("%+v %s", u, d.upstream())
	}
	for _, f := range found {
		if f.Do == "" || strings.Contains(f.What, "\n") {
			t.Errorf("%+v", f)
		}
	}
}

func TestDoctorFindsItsTarget(t *testing.T) {
	for _, test := range []struct{ address, url, want string }{
		{":9253", "", "https://127.0.0.1:9253/metrics"},
		{"0.0.0.0:9999", "", "https://127.0.0.1:9999/metrics"},
		{"[::]:9999", "", "https://127.0.0.1:9999/metrics"},
		{"192.0.2.1:9253", "", "https://192.0.2.1:9253/metrics"},
		{"[2001:db8::1]:9253", "", "https://[2001:db8::1]:9253/metrics"},
		{"192.0.2.1", "", "https://192.0.2.1:9253/metrics"},
		{":9253", "https://gate.example:9253", "https://gate.example:9253/metrics"},
		{":9253", "https://gate.example/gate/metrics", "https://gate.example/gate/metrics"},
		{"nonsense:port", "", "https://127.0.0.1:9253/metrics"},
	} {
		d := patient(t)
		_ = d.config.Listen.Address.UnmarshalText([]byte(test.address)) // nonsense leaves the default
		d.url = test.url
		if got := d.target(); got != test.want {
			t.Errorf("%s %s: %s, want %s", test.address, test.url, got, test.want)
		}
	}
	d := patient(t)
	d.config.TLS = config.TLS{InsecureHTTP: true}
	if got := d.target(); got != "http://127.0.0.1:9253/metrics" {
		t.Error(got)
	}
}

// adminAddress parses text.
func adminAddress(t *testing.T, text string) (a config.AdminAddress) {
	t.Helper()
	if err := a.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestDoctorFindsTheAdminListener(t *testing.T) {
	for address, want := range map[string]string{
		"localhost:9254": "http://127.0.0.1:9254", ":9254": "http://127.0.0.1:9254", "[::]:1": "http://127.0.0.1:1",
		"192.0.2.1:9254": "http://192.0.2.1:9254", "off": "",
	} {
		d := patient(t)
		d.config.Process.AdminAddress = adminAddress(t, address)
		if got := d.admin(); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func TestLeafOf(t *testing.T) {
	d := patient(t)
	if leaf := client.Leaf(d.config.TLS.CertFile); leaf == nil || leaf.DNSNames[0] != "localhost" {
		t.Errorf("%+v", leaf)
	}
	for _, path := range []string{"", "/nowhere", d.config.Allow.TokensFile, d.config.TLS.KeyFile} {
		if leaf := client.Leaf(path); leaf != nil {
			t.Errorf("%s: %s", path, leaf.Subject)
		}
		if list := certificatesOf(path); len(list) > 0 {
			t.Errorf("%s: %d certificates", path, len(list))
		}
	}
}

func TestCountSamples(t *testing.T) {
	if got := countSamples([]byte("# HELP a b\n# TYPE a counter\na 1\n\nb{c=\"d\"} 2\n# EOF\n")); got != 2 {
		t.Error(got)
	}
}

func TestRunnerVersion(t *testing.T) {
	for body, want := range map[string]string{
		`gitlab_runner_version_info{architecture="amd64",go_version="go1.26",` +
			`name="gitlab-runner",version="19.3.0"} 1`: "19.3.0",
		"a 1\n" + `gitlab_runner_version_info{version="18.0.0~beta",name="x"} 1` +
			"\n": "18.0.0~beta",
		`other_version_info{version="1"} 1`:                          "",
		`gitlab_runner_version_info{go_version="go1.26"} 1`:          "",
		"# HELP gitlab_runner_version_info version=\"1\"\n":          "",
		`x{y="gitlab_runner_version_info{version=\"1\"}"} 1`:         "",
		`gitlab_runner_version_info{go_version="a",version="2.0"} 1`: "2.0",
	} {
		if got := runnerVersion([]byte(body)); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
