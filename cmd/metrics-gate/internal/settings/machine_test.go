package settings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// here is the test's own process on the fake machine.
const here = 7

// fakeMachine is a machine with a folder as /proc and a systemd that knows units.
func fakeMachine(t *testing.T, units ...map[string]any) machine {
	t.Helper()
	m := machine{proc: t.TempDir(), self: here, systemd: t.TempDir()}
	for _, name := range []string{"network", "container"} {
		if err := os.Mkdir(filepath.Join(m.proc, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	m.add(t, here, "metrics-gate\x00check", "network")
	m.busctl = func(_ context.Context, args ...string) ([]byte, error) {
		last := args[len(args)-1]
		for _, u := range units {
			switch {
			case args[2] == "LoadUnit" && last == u["Id"],
				args[2] == "GetUnitByPID" && last == fmt.Sprint(u["MainPID"]):
				return json.Marshal(map[string]any{"data": []any{"/unit/" + u["Id"].(string)}})
			case args[2] == "GetAll" && args[0] == "/unit/"+u["Id"].(string):
				return variants(u)
			}
		}
		return nil, errors.New("no unit " + last)
	}
	return m
}

// variants is the reply of GetAll.
func variants(unit map[string]any) ([]byte, error) {
	all := map[string]any{}
	for name, v := range unit {
		all[name] = map[string]any{"type": "v", "data": v}
	}
	return json.Marshal(map[string]any{"type": "a{sv}", "data": []any{all}})
}

// service is a unit of systemd, with more properties.
func service(name string, more map[string]any) map[string]any {
	u := map[string]any{"Id": name, "LoadState": "loaded", "ActiveState": "active", "SubState": "running"}
	maps.Copy(u, more)
	return u
}

// executable is the program of every process.
func executable(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// add puts a process on the machine. network is the name of its network namespace.
func (m machine) add(t *testing.T, pid int, args, network string, environ ...string) {
	t.Helper()
	dir := filepath.Join(m.proc, strconv.Itoa(pid))
	for _, path := range []string{dir, filepath.Join(dir, "ns")} {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{
		"cmdline": args + "\x00", "environ": strings.Join(environ, "\x00") + "\x00",
		"status": "Name:\tmetrics-gate\nUid:\t997\t997\t997\t997\nGid:\t996\t996\t996\t996\nGroups:\t4 996 \n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		"ns/net": filepath.Join(m.proc, network), "root": m.proc, "cwd": "/srv/gate", "exe": executable(t),
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}
