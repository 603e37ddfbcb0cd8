package settings

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// Root takes no settings, unasked, from a gate that a user has started: settings say which files are
// read, and where credentials are sent.
func TestRootNamesTheGateOfAUser(t *testing.T) {
	instance := service("metrics-gate@9263.service", map[string]any{"MainPID": 30})
	m := fakeMachine(t, instance)
	m.root = true
	m.add(t, 20, "metrics-gate", "network", name+"user")
	_, err := (&Options{}).find(t.Context(), m, nil)
	if e, ok := errors.AsType[*cli.ConfigError](err); !ok || len(e.List) != 1 ||
		!strings.HasPrefix(e.List[0], "process 20") {
		t.Errorf("the gate of a user: %v", err)
	}
	if s, err := (&Options{pid: 20}).find(t.Context(), m, nil); err != nil || last(s.Environ, name) != "user" {
		t.Errorf("by --pid: %v", err)
	}
	m.add(t, 30, "metrics-gate", "network", name+"unit")
	if s, err := (&Options{}).find(t.Context(), m, nil); err != nil || last(s.Environ, name) != "unit" {
		t.Errorf("with one of a unit: %v", err)
	}
}

// What a user has written into the settings looks like no other entry of the list.
func TestListOfGatesQuotesWhatUsersWrite(t *testing.T) {
	long := strings.Repeat("a", 80)
	for address, want := range map[string]string{
		"": ":9253", "9254": ":9254", "localhost": "localhost:9253", "[::ffff:127.0.0.1]:1": "127.0.0.1:1",
		"[fe80::1%eth0]:9": "[fe80::1%eth0]:9",
		"a\n7:1":           `"a\n7:1"`, ":1);process": `":1);process"`, "x),7(root:1": `"x),7(root:1"`,
		"\u202e:1": `"\u202e:1"`, long + "b:1": long + "…", long + "); process 7": `"` + long + `…"`,
	} {
		m := fakeMachine(t)
		m.root = true
		m.add(t, 20, "metrics-gate", "network", name+long+"b", "METRICS_GATE_LISTEN_ADDRESS="+address)
		_, err := (&Options{}).find(t.Context(), m, nil)
		want = `process 20 (runner "` + long + `…", ` + want + ")"
		if e, ok := errors.AsType[*cli.ConfigError](err); !ok || !slices.Equal(e.List, []string{want}) {
			t.Errorf("%q: %v, want %s", address, err, want)
		}
	}
}

// A setuid program has the variables of one user and the rights of another, and any program can have
// the name of a gate.
func TestProcessesThatAreNoGates(t *testing.T) {
	for change, do := range map[string]func(dir string) error{
		"setuid": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "status"), []byte("Uid:\t5\t0\t0\t0\nGid:\t5\t5\t5\t5\n"), 0o600)
		},
		"setgid": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "status"), []byte("Uid:\t5\t5\t5\t5\nGid:\t5\t0\t0\t0\n"), 0o600)
		},
		"another program": func(dir string) error {
			program := filepath.Join(t.TempDir(), "metrics-gate")
			if err := os.WriteFile(program, nil, 0o600); err != nil {
				return err
			}
			if err := os.Chmod(program, 0o777); err != nil {
				return err
			}
			if err := os.Remove(filepath.Join(dir, "exe")); err != nil {
				return err
			}
			return os.Symlink(program, filepath.Join(dir, "exe"))
		},
	} {
		m := fakeMachine(t)
		m.add(t, 20, "metrics-gate", "network", name+"fake")
		if err := do(filepath.Join(m.proc, strconv.Itoa(20))); err != nil {
			t.Fatal(err)
		}
		if s, err := (&Options{pid: 20}).find(t.Context(), m, nil); err == nil {
			t.Errorf("%s: settings of %s", change, s.Whose)
		}
	}
}
