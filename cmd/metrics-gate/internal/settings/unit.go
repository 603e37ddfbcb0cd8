package settings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// unit is a service of systemd with its sockets.
type unit struct {
	name    string
	sockets []string // host:port each
	service properties
	machine machine
}

// properties are those of a unit that matter here, in the types of systemd's D-Bus interface
// (org.freedesktop.systemd1(5)). Drop-ins and specifiers are resolved in them.
type properties struct {
	ID               value[string]      `json:"Id"`
	LoadState        value[string]      `json:"LoadState"`
	ActiveState      value[string]      `json:"ActiveState"`
	SubState         value[string]      `json:"SubState"`
	NeedDaemonReload value[bool]        `json:"NeedDaemonReload"`
	TriggeredBy      value[[]string]    `json:"TriggeredBy"`
	Listen           value[[][2]string] `json:"Listen"` // type and address
	MainPID          value[int]         `json:"MainPID"`
	User             value[string]      `json:"User"`
	Group            value[string]      `json:"Group"`
	WorkingDirectory value[string]      `json:"WorkingDirectory"`
	RootDirectory    value[string]      `json:"RootDirectory"`
	RootImage        value[string]      `json:"RootImage"`
	Environment      value[[]string]    `json:"Environment"`
	EnvironmentFiles value[[]envFile]   `json:"EnvironmentFiles"`
	LoadCredential   value[[][2]string] `json:"LoadCredential"` // name and path
}

// value is a variant as busctl prints it.
type value[T any] struct {
	Data T `json:"data"`
}

// envFile is an EnvironmentFile=, which may be a pattern.
type envFile struct {
	path     string
	optional bool
}

// UnmarshalJSON reads ["/path",true].
func (f *envFile) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&f.path, &f.optional})
}

// systemd's names on D-Bus.
const (
	busName = "org.freedesktop.systemd1"
	busPath = "/org/freedesktop/systemd1"
)

// busctl asks the system bus by the program that every systemd has; a library would add half a
// megabyte to each gate.
func busctl(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "busctl", append([]string{"--json=short", "call", busName}, args...)...)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, errors.New(cli.Printable(strings.TrimSpace(string(failed.Stderr))))
	}
	return out, err
}

// hasSystemd tells whether systemd manages this machine.
func (m machine) hasSystemd() bool {
	_, err := os.Stat(m.systemd)
	return err == nil
}

// call asks systemd for the path of a unit.
func (m machine) call(ctx context.Context, method, kind, argument string) (path string, err error) {
	out, err := m.busctl(ctx, busPath, busName+".Manager", method, kind, argument)
	if err != nil {
		return "", err
	}
	var reply value[[]string]
	if err := json.Unmarshal(out, &reply); err != nil || len(reply.Data) != 1 {
		return "", fmt.Errorf("%s: unexpected reply: %w", method, err)
	}
	return reply.Data[0], nil
}

// properties asks systemd for those of the unit at a path.
func (m machine) properties(ctx context.Context, path string) (p properties, err error) {
	out, err := m.busctl(ctx, path, "org.freedesktop.DBus.Properties", "GetAll", "s", "")
	if err != nil {
		return p, err
	}
	var reply value[[]properties]
	if err := json.Unmarshal(out, &reply); err != nil || len(reply.Data) != 1 {
		return p, fmt.Errorf("GetAll: unexpected reply: %w", err)
	}
	return reply.Data[0], nil
}

// unitOf returns the unit whose main process pid is; nil if there is none.
func (m machine) unitOf(ctx context.Context, pid int) *unit {
	if !m.hasSystemd() {
		return nil
	}
	path, err := m.call(ctx, "GetUnitByPID", "u", fmt.Sprint(pid))
	if err != nil {
		return nil
	}
	u, err := m.unitAt(ctx, path)
	if err != nil || u.service.MainPID.Data != pid {
		return nil
	}
	return u
}

// unit asks systemd for a unit by name.
func (m machine) unit(ctx context.Context, name string) (*unit, error) {
	if !strings.HasSuffix(name, ".service") {
		name += ".service"
	}
	wrong := &cli.ConfigError{Thing: "unit", Value: name}
	path, err := m.call(ctx, "LoadUnit", "s", name)
	if err != nil {
		wrong.Wrong, wrong.Advice = err.Error(), "systemd and its busctl must run here"
		return nil, wrong
	}
	u, err := m.unitAt(ctx, path)
	switch {
	case err != nil:
		wrong.Wrong = err.Error()
		return nil, wrong
	case u.service.LoadState.Data != "loaded":
		wrong.Wrong = "systemd says " + u.service.LoadState.Data
		wrong.Advice = "systemctl list-units --all 'metrics-gate*' lists the units"
		return nil, wrong
	}
	return u, nil
}

// unitAt asks for a unit and the addresses of its sockets.
func (m machine) unitAt(ctx context.Context, path string) (*unit, error) {
	service, err := m.properties(ctx, path)
	if err != nil {
		return nil, err
	}
	u := &unit{name: service.ID.Data, service: service, machine: m}
	for _, name := range service.TriggeredBy.Data {
		path, err := m.call(ctx, "LoadUnit", "s", name)
		if err != nil {
			return nil, err
		}
		socket, err := m.properties(ctx, path)
		if err != nil {
			return nil, err
		}
		for _, l := range socket.Listen.Data {
			if _, _, err := net.SplitHostPort(l[1]); err == nil && l[0] == "Stream" {
				u.sockets = append(u.sockets, l[1])
			}
		}
	}
	return u, nil
}
