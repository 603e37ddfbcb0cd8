package settings

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// machine is where gates run; tests put another in its place.
type machine struct {
	proc    string // where /proc is
	self    int    // process id
	root    bool   // this process is root's
	systemd string // exists where systemd runs
	busctl  func(ctx context.Context, args ...string) ([]byte, error)
}

// thisMachine is the one that the command runs on.
func thisMachine() machine {
	return machine{proc: "/proc", self: os.Getpid(), root: os.Geteuid() == 0,
		systemd: "/run/systemd/system", busctl: busctl}
}

// gates are the processes that serve as a gate, with the network and the root directory of this
// process: what the settings of others say is not true here.
func (m machine) gates() []int {
	var list []int
	entries, _ := filepath.Glob(filepath.Join(m.proc, "[0-9]*", "cmdline"))
	for _, entry := range entries {
		line, err := os.ReadFile(entry) //permit:os.ReadFile of /proc
		if err != nil {
			continue
		}
		args := strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(entry)))
		if err != nil || pid == m.self || filepath.Base(args[0]) != "metrics-gate" ||
			(len(args) > 1 && args[1] != "serve") || m.elsewhere(pid) || errors.Is(m.program(pid), errProgram) {
			continue
		}
		list = append(list, pid)
	}
	slices.Sort(list)
	return list
}

// elsewhere tells whether a process has another network or another root directory than this one.
// It is false for a process that this user may not look at.
func (m machine) elsewhere(pid int) bool {
	for _, link := range []string{"ns/net", "root"} {
		own, err := os.Stat(filepath.Join(m.proc, strconv.Itoa(m.self), link))
		theirs, theirErr := os.Stat(m.path(pid, link))
		if err == nil && theirErr == nil && !os.SameFile(own, theirs) {
			return true
		}
	}
	return false
}

// path is a file of a process.
func (m machine) path(pid int, name string) string {
	return filepath.Join(m.proc, strconv.Itoa(pid), name)
}

// process is a gate that runs, and its unit if there is one. systemd is asked once about it.
type process struct {
	pid  int
	unit *unit
}

// process looks a process up.
func (m machine) process(ctx context.Context, pid int) process {
	return process{pid, m.unitOf(ctx, pid)}
}

// ambiguous lists the gates that run here.
func (m machine) ambiguous(gates []process) error {
	return &cli.ConfigError{Thing: "settings", Wrong: fmt.Sprintf("%d gates run here", len(gates)),
		List:   m.list(gates),
		Advice: "name one with --pid, --unit or --env-file; doctor also picks by the port of --url"}
}

// list describes the first gates, so that one can be chosen.
func (m machine) list(gates []process) []string {
	const most = 32
	var list []string
	for _, p := range gates[:min(len(gates), most)] {
		list = append(list, p.String()+m.serves(p))
	}
	if len(gates) > most {
		list = append(list, "…")
	}
	return list
}

// at are the gates that listen on a port, as far as this user may read it.
func (m machine) at(gates []process, port string) (found []process) {
	for _, p := range gates {
		var address config.ListenAddress
		set, err := m.variables(p)
		if err == nil && address.UnmarshalText([]byte(set[config.Prefix+"LISTEN_ADDRESS"])) == nil &&
			strconv.Itoa(int(address.Port)) == port {
			found = append(found, p)
		}
	}
	return found
}

// variables are those of a gate, with the address of its unit's socket and the default one.
func (m machine) variables(p process) (map[string]string, error) {
	environ, err := m.environ(p.pid)
	if err != nil {
		return nil, err
	}
	s := &Settings{Environ: environ}
	if p.unit != nil {
		p.unit.listen(s)
	}
	set := variables(s.Environ)
	const listen = config.Prefix + "LISTEN_ADDRESS"
	set[listen] = cmp.Or(set[listen], ":9253")
	return set, nil
}

// serves tells the runner's name and the address of a gate, as far as this user may read them.
func (m machine) serves(p process) string {
	set, err := m.variables(p)
	if err != nil {
		return ""
	}
	var tells []string
	if name := set[config.Prefix+"RUNNER_NAME"]; name != "" {
		tells = append(tells, fmt.Sprintf("runner %q", clipped(name)))
	}
	return " (" + strings.Join(append(tells, shownAddress(set[config.Prefix+"LISTEN_ADDRESS"])), ", ") + ")"
}

// shownAddress is a LISTEN_ADDRESS for the list. It is what a user may have written to look like
// another entry: what is no plain address is quoted.
func shownAddress(text string) string {
	var address config.ListenAddress
	if address.UnmarshalText([]byte(text)) == nil {
		if text = address.HostPort(); regexp.MustCompile(`^[A-Za-z0-9.:%_\[\]-]+$`).MatchString(text) {
			return clipped(text)
		}
	}
	return strconv.Quote(clipped(text))
}

// clipped is the beginning of text, as much as the list has room for.
func clipped(text string) string {
	const most = 80
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// environ returns the variables of a process, "NAME=value" each.
func (m machine) environ(pid int) ([]string, error) {
	text, err := os.ReadFile(m.path(pid, "environ")) //permit:os.ReadFile of /proc
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00"), nil
}

// String names a process, and its unit if there is one.
func (p process) String() string {
	if p.unit == nil {
		return fmt.Sprintf("process %d", p.pid)
	}
	return fmt.Sprintf("process %d of unit %s", p.pid, p.unit.name)
}

// ofProcess returns the settings with which a gate runs.
func (m machine) ofProcess(p process) (*Settings, error) {
	pid, u := p.pid, p.unit
	wrong := func(text, advice string) error {
		return &cli.ConfigError{Thing: "process", Value: strconv.Itoa(pid), Wrong: text, Advice: advice}
	}
	before, beforeErr := m.userOf(pid)
	environ, err := m.environ(pid)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, wrong("does not run here", "ps -C metrics-gate lists the gates")
	case errors.Is(err, fs.ErrPermission):
		return nil, wrong("this user may not read its settings", "run the command as root, or give --env-file")
	case err != nil:
		return nil, wrong(err.Error(), "")
	case m.elsewhere(pid):
		return nil, wrong(
			"runs in a container: its files and its network are not those of this command",
			fmt.Sprintf(
				"run the command in there: kubectl exec POD -c metrics-gate -- metrics-gate doctor, docker exec, "+
					"or nsenter --target %d --all metrics-gate doctor",
				pid,
			),
		)
	}
	s := &Settings{Whose: p.String(), Environ: environ}
	if !config.HasVariables(s.Environ) {
		return nil, wrong("has no "+config.Prefix+" variable", "ps -C metrics-gate lists the gates")
	}
	// The program and the user after the variables were read: they are those of the variables, unless
	// the process became another one meanwhile.
	if err := m.program(pid); err != nil {
		return nil, wrong(err.Error(), "name a gate, or give --env-file")
	}
	if s.user, err = m.userOf(pid); err != nil || beforeErr != nil {
		return nil, wrong(errors.Join(err, beforeErr).Error(), "")
	}
	if before.uid != s.user.uid || before.gid != s.user.gid {
		return nil, wrong("has just become another user's", "try again")
	}
	if u != nil {
		s.Findings = u.findings()
		s.Findings = append(s.Findings, u.changes(s.Environ)...)
		u.listen(s)
	}
	if folder, err := os.Readlink(m.path(pid, "cwd")); err == nil {
		s.inFolder(folder)
	}
	return s, nil
}
