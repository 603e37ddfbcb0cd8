package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// listens makes doctor see a listener on a loopback port, whether or not it is there.
func listens(t *testing.T, d *doctor) {
	t.Helper()
	listensAt(t, d, d.runnerPort())
}

// listensAt is listens for a port of any kind.
func listensAt(t *testing.T, d *doctor, text string) {
	t.Helper()
	var port int
	if _, err := fmt.Sscan(text, &port); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(d.host.proc, "net")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	line := fmt.Sprintf("0: 0100007F:%04X 00000000:0000 0A 0:0 0:0 0 997 0 4711\n", port)
	if err := os.WriteFile(filepath.Join(dir, "tcp"), []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
}

// runs makes config.toml the configuration of the runner.
func runs(t *testing.T, d *doctor, toml string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
	d.host.toml = []string{path}
}

// A connection that is refused where something listens is the firewall's work.
func TestDoctorKnowsTheFirewall(t *testing.T) {
	d := patient(t) // of a runner at 127.0.0.1:9, where nothing listens
	if found := d.firewall(t.Context()); found != nil {
		t.Errorf("%+v", found)
	}
	listens(t, d)
	expect(t, d.firewall(t.Context()), cli.LevelOK, "port 9 refuses other users: only the gate's user is let in")
	expect(t, d.runner(t.Context()), cli.LevelOK, "the firewall refuses this user: only the gate's user is let in")
	d.host.uid = 1000
	expect(t, d.runner(t.Context()), cli.LevelOK, "run doctor as root")
	d.host.uid = 0
	expect(t, d.runner(t.Context()), cli.LevelOK, "name the gate with --unit or --pid")
	d.settings.RootOnly = true
	expect(t, d.runner(t.Context()), cli.LevelOK, "start the gate: until then only root can read its credentials")
}

func TestDoctorMissesTheFirewall(t *testing.T) {
	const shell, docker = "[[runners]]\n  executor = \"shell\"\n", "[[runners]]\nexecutor='docker'\n[runners.docker]\n"
	for _, test := range []struct {
		name, toml string
		uid        int
		level      string
		text       string
	}{
		{"shell executor", shell, 0, cli.LevelWarn, "in RUNNER_PORTS of /etc/metrics-gate/firewall.env"},
		{"network of the host", docker + "  network_mode = \"host\"\n", 0, cli.LevelWarn, "config.toml"},
		{"containers", docker, 0, cli.LevelOK, "no job is known to run as one"},
		{"comment", "# executor = \"shell\"\n", 0, cli.LevelOK, "no rule keeps local users"},
		{"not root", shell, 1000, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := patient(t, config.Prefix+"UPSTREAM_URL=127.0.0.1:"+onEveryAddress(t, "up 1\n"))
			listens(t, d)
			runs(t, d, test.toml)
			d.host.uid = test.uid
			found := d.firewall(t.Context())
			if test.level == "" && found == nil {
				return
			}
			expect(t, found, test.level, test.text)
		})
	}
}
