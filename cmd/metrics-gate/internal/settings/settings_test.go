package settings

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// name and allow are variables of the tests.
const (
	name  = "METRICS_GATE_RUNNER_NAME="
	allow = "METRICS_GATE_METRICS_ALLOW="
)

// last is the value that counts of a variable, written NAME=.
func last(environ []string, variable string) (value string) {
	for _, entry := range environ {
		if v, ok := strings.CutPrefix(entry, variable); ok {
			value = v
		}
	}
	return value
}

func TestWhoseSettings(t *testing.T) {
	socket := map[string]any{"Id": "metrics-gate@9263.socket", "Listen": [][2]string{{"Stream", "/run/gate"},
		{"Stream", "[::]:9263"}}}
	installed := service("metrics-gate.service", map[string]any{"Environment": []string{name + "installed"},
		"ActiveState": "inactive", "SubState": "dead"})
	instance := service("metrics-gate@9263.service", map[string]any{"MainPID": 30,
		"TriggeredBy": []string{"metrics-gate@9263.socket"}, "Environment": []string{name + "new", allow + "*"}})
	m := fakeMachine(t, installed, instance, socket)
	none := fakeMachine(t)
	none.systemd = filepath.Join(none.systemd, "none")
	running, two, units := fakeMachine(t), fakeMachine(t, instance, socket), fakeMachine(t, instance, socket)
	for _, on := range []machine{running, two} {
		on.add(t, 20, "/usr/bin/metrics-gate", "network", name+"running")
		on.add(t, 21, "metrics-gate\x00demo", "network", name+"demo")
		on.add(t, 22, "metrics-gate", "container", name+"contained")
		on.add(t, 23, "vi\x00metrics-gate", "network", name+"editor")
	}
	two.add(t, 30, "metrics-gate\x00serve", "network", name+"instance")
	units.add(t, 30, "metrics-gate", "network", name+"instance", allow+"*", "METRICS_GATE_LISTEN_ADDRESS=:1")
	for _, test := range []struct {
		name    string
		on      machine
		options Options
		environ []string
		whose   string
		runner  string // RUNNER_NAME
	}{
		{"own variables", running, Options{}, []string{name + "own"}, "the environment", "own"},
		{"nothing anywhere", none, Options{}, []string{"PATH=/bin"}, "the environment", ""},
		{"a Service of Kubernetes is no setting", running, Options{}, []string{"METRICS_GATE_SERVICE_HOST=10.0.0.1"},
			"process 20", "running"},
		{"the gate that runs", running, Options{}, nil, "process 20", "running"},
		{"the unit that does not run", m, Options{}, nil, "unit metrics-gate.service", "installed"},
		{"by process", two, Options{pid: 20}, []string{name + "own"}, "process 20", "running"},
		{"a process of a unit", units, Options{}, nil, "process 30 of unit metrics-gate@9263.service", "instance"},
		{"by unit", units, Options{unit: "metrics-gate@9263"}, []string{name + "own"}, "unit metrics-gate@9263.service",
			"new"},
		{"of two, the one at a port", two, Options{Port: "9263"}, nil, "process 30 of unit metrics-gate@9263.service",
			"instance"},
		{"of two, the one at the default port", two, Options{Port: "9253"}, nil, "process 20", "running"},
		{"of two, none at the port", two, Options{Port: "9"}, nil, "the environment", ""},
		{"one at another port", running, Options{Port: "9"}, nil, "process 20", "running"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := test.options.find(t.Context(), test.on, test.environ)
			if err != nil {
				t.Fatal(err)
			}
			if s.Whose != test.whose || last(s.Environ, name) != test.runner {
				t.Errorf("settings of %s: %q", s.Whose, s.Environ)
			}
			listen := last(s.Environ, "METRICS_GATE_LISTEN_ADDRESS=")
			if strings.Contains(s.Whose, "@9263") != (listen == "[::]:9263") {
				t.Errorf("listens on %q", listen)
			}
		})
	}
}

func TestErrorsOfFind(t *testing.T) {
	m := fakeMachine(t, service("metrics-gate@9263.service", map[string]any{"MainPID": 21}),
		map[string]any{"Id": "gone.service", "LoadState": "not-found"},
		service("root.service", map[string]any{"RootDirectory": "/srv/root"}),
		service("files.service", map[string]any{"EnvironmentFiles": [][]any{{"/none/a", true}, {"/none/b", false}}}))
	m.add(t, 20, "metrics-gate", "network", name+"a")
	m.add(t, 21, "metrics-gate", "network", name+"b", "METRICS_GATE_LISTEN_ADDRESS=[::]:9263")
	m.add(t, 22, "metrics-gate", "container", name+"c")
	m.add(t, 23, "sh", "network", "HOME=/")
	other := filepath.Join(t.TempDir(), "other.env")
	if err := os.WriteFile(other, []byte("PATH=/bin\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		options      Options
		fact, advice string
	}{
		{Options{}, "2 gates run here\nprocess 20 (runner \"a\", :9253)\n" +
			`process 21 of unit metrics-gate@9263.service (runner "b", [::]:9263)`,
			"--pid, --unit or --env-file"},
		{Options{pid: 99}, `process "99": does not run here`, "ps -C"},
		{Options{pid: 22}, `process "22": runs in a container`, "nsenter --target 22 --all metrics-gate doctor"},
		{Options{pid: 23}, `process "23": has no METRICS_GATE_ variable`, "ps -C"},
		{Options{pid: 20, unit: "x"}, "more than one gate", "give one"},
		{Options{pid: 20, files: []string{"x"}}, "more than one gate", "give one"},
		{Options{files: []string{other}}, `no METRICS_GATE_ variable in it`, "the gate's settings"},
		{Options{unit: "none"}, `unit "none.service": no unit none.service`, "busctl"},
		{Options{unit: "gone"}, `unit "gone.service": systemd says not-found`, "list-units"},
		{Options{unit: "root"}, `unit "root.service": has its files in /srv/root`, "--env-file"},
		{Options{unit: "files"}, `environment file "/none/b"`, ""},
	} {
		_, err := test.options.find(t.Context(), m, []string{"PATH=/bin"})
		var all string
		e, ok := errors.AsType[*cli.ConfigError](err)
		if ok {
			all = strings.Join(append([]string{e.Error()}, e.List...), "\n")
		}
		if !strings.Contains(all, test.fact) || !ok || !strings.Contains(e.Advice, test.advice) {
			t.Errorf("%+v: got %v, want %q, advice %q", test.options, err, test.fact, test.advice)
		}
	}
}

// systemd is asked once about each gate.
func TestUnitsAreAskedForOnce(t *testing.T) {
	m := fakeMachine(t, service("metrics-gate.service", map[string]any{"MainPID": 20}))
	m.root = true
	m.add(t, 20, "metrics-gate", "network", name+"a")
	ask, asked := m.busctl, 0
	m.busctl = func(ctx context.Context, args ...string) ([]byte, error) {
		if slices.Contains(args, "GetUnitByPID") {
			asked++
		}
		return ask(ctx, args...)
	}
	if _, err := (&Options{}).find(t.Context(), m, nil); err != nil || asked != 1 {
		t.Errorf("%v, asked %d times", err, asked)
	}
}

// A unit's settings are what the next start reads: files beat Environment=, a credential that is
// not copied yet is its source, and a relative path begins in the working directory.
func TestSettingsOfAUnit(t *testing.T) {
	dir := t.TempDir()
	for file, content := range map[string]string{"a.conf": name + "file\n", "b.conf": allow + "dns:a\n"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	u := service("gate.service", map[string]any{
		"Environment": []string{name + "unit", "METRICS_GATE_TOKENS_FILE=tokens",
			"METRICS_GATE_TLS_KEY_FILE=/run/credentials/gate.service/key",
			"METRICS_GATE_TLS_CERT_FILE=/run/credentials/gate.service/unknown"},
		"EnvironmentFiles": [][]any{{dir + "/*.conf", false}, {dir + "/none", true}},
		"LoadCredential":   [][2]string{{"key", "/etc/gate/key"}}, "User": "root", "WorkingDirectory": "/srv",
	})
	s, err := (&Options{unit: "gate"}).find(t.Context(), fakeMachine(t, u), nil)
	if err != nil {
		t.Fatal(err)
	}
	for variable, want := range map[string]string{
		name: "file", allow: "dns:a", "METRICS_GATE_TLS_KEY_FILE=": "/etc/gate/key",
		"METRICS_GATE_TOKENS_FILE=":   "/srv/tokens",
		"METRICS_GATE_TLS_CERT_FILE=": "/run/credentials/gate.service/unknown",
	} {
		if got := last(s.Environ, variable); got != want {
			t.Errorf("%s%s, want %s", variable, got, want)
		}
	}
	if s.user != nil || !s.RootOnly {
		t.Errorf("%+v cannot read the source of a credential", s.user)
	}
	u["LoadCredential"] = nil
	if s, err = (&Options{unit: "gate"}).find(t.Context(), fakeMachine(t, u), nil); err != nil || s.user == nil {
		t.Errorf("%v %+v", err, s)
	}
}

func TestSettingsOfAProcess(t *testing.T) {
	m := fakeMachine(t)
	m.add(t, 20, "metrics-gate", "network", "METRICS_GATE_TLS_KEY_FILE=pki/key", "METRICS_GATE_TLS_CERT_FILE=/cert",
		"METRICS_GATE_RUNNER_NAME=a=b")
	s, err := (&Options{pid: 20}).find(t.Context(), m, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"METRICS_GATE_TLS_KEY_FILE=/srv/gate/pki/key", "METRICS_GATE_TLS_CERT_FILE=/cert",
		"METRICS_GATE_RUNNER_NAME=a=b"}
	if !slices.Equal(s.Environ, want) {
		t.Errorf("%q", s.Environ)
	}
	if u := s.user; u == nil || u.uid != 997 || u.gid != 996 || !slices.Equal(u.groups, []int{4, 996}) {
		t.Errorf("%+v", u)
	}
}

// The operator hears of a unit that fails, and of settings that the running gate does not have yet.
func TestFindingsOfAUnit(t *testing.T) {
	running := []string{name + "a", allow + "*", "GOMEMLIMIT=1"}
	for _, test := range []struct {
		unit map[string]any
		want string
	}{
		{map[string]any{"Environment": running}, ""},
		{map[string]any{"Environment": []string{name + "b", "METRICS_GATE_LABELS=x=y"}},
			"unit gate.service: changed since its start: METRICS_GATE_LABELS, METRICS_GATE_METRICS_ALLOW, " +
				"METRICS_GATE_RUNNER_NAME"},
		{map[string]any{"Environment": running, "NeedDaemonReload": true}, "systemctl daemon-reload"},
		{map[string]any{"Environment": running, "ActiveState": "activating", "SubState": "auto-restart"},
			"activating (auto-restart): journalctl -u gate.service says why: correct that first"},
		{map[string]any{"Environment": running, "ActiveState": "inactive", "SubState": "dead"},
			"inactive (dead): systemctl start gate.service"},
		{map[string]any{"EnvironmentFiles": [][]any{{"/none/b", false}}}, "the next start fails"},
	} {
		test.unit["MainPID"] = 20
		m := fakeMachine(t, service("gate.service", test.unit))
		m.add(t, 20, "metrics-gate", "network", running...)
		s, err := (&Options{}).find(t.Context(), m, nil)
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, f := range s.Findings {
			text += f.What + ": " + f.Do + "\n"
		}
		if !strings.Contains(text, test.want) || (test.want == "") != (text == "") {
			t.Errorf("got %q, want %q", text, test.want)
		}
	}
}

// systemd listens for a gate that has failed.
func TestStoppedUnitOfASocket(t *testing.T) {
	socket := map[string]any{"Id": "gate.socket", "Listen": [][2]string{{"Stream", "[::]:9263"}}}
	for state, want := range map[string]string{"failed": "gate.service", "active": ""} {
		m := fakeMachine(t, socket, service("gate.service", map[string]any{"ActiveState": state,
			"TriggeredBy": []string{"gate.socket"}, "Environment": []string{name + "a"}}))
		if s, err := (&Options{unit: "gate"}).find(t.Context(), m, nil); err != nil || s.Stopped != want {
			t.Errorf("%s: %v %+v", state, err, s)
		}
	}
}
