package settings

import (
	"cmp"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// ofUnit returns the settings with which systemd would start a unit now.
func (m machine) ofUnit(ctx context.Context, name string) (*Settings, error) {
	u, err := m.unit(ctx, name)
	if err != nil {
		return nil, err
	}
	return u.settings()
}

// settings reads the unit's environment, files and user.
func (u *unit) settings() (*Settings, error) {
	if root := cmp.Or(u.service.RootDirectory.Data, u.service.RootImage.Data); root != "" {
		return nil, &cli.ConfigError{Thing: "unit", Value: u.name, Wrong: "has its files in " + root,
			Advice: "give --pid, or --env-file, to a metrics-gate that runs in there"}
	}
	environ, err := u.environ()
	if err != nil {
		return nil, err
	}
	s := &Settings{Whose: "unit " + u.name, Environ: environ, Findings: u.findings()}
	s.inFolder(cmp.Or(u.service.WorkingDirectory.Data, "/"))
	if pid := u.service.MainPID.Data; pid != 0 {
		s.user, err = u.machine.userOf(pid)
	}
	if pid := u.service.MainPID.Data; (pid == 0 || err != nil) && u.service.User.Data != "" {
		s.user = lookupUser(u.service.User.Data, u.service.Group.Data)
	}
	if u.fromSources(s) {
		s.user, s.RootOnly = nil, true
	}
	u.listen(s)
	return s, nil
}

// environ is what systemd would put into the environment: a later entry is stronger.
func (u *unit) environ() ([]string, error) {
	environ := slices.Clone(u.service.Environment.Data)
	for _, file := range u.service.EnvironmentFiles.Data {
		paths, err := filepath.Glob(file.path)
		if err != nil || (len(paths) == 0 && !file.optional) {
			paths = []string{file.path} // for its error
		}
		for _, path := range paths {
			list, err := ReadFile(path)
			if err != nil {
				return nil, err
			}
			environ = append(environ, list...)
		}
	}
	return environ, nil
}

// fromSources takes a credential that systemd has not copied, because the unit does not run, from
// where systemd would.
func (u *unit) fromSources(s *Settings) (any bool) {
	folder := "/run/credentials/" + u.name + "/"
	s.rewriteFiles(func(path string) string {
		name, ours := strings.CutPrefix(path, folder)
		if _, err := os.Lstat(path); !ours || err == nil {
			return path
		}
		for _, credential := range u.service.LoadCredential.Data {
			if credential[0] == name {
				any = true
				return credential[1]
			}
		}
		return path
	})
	return any
}

// listen makes the unit's socket the address of the gate, as the gate does.
func (u *unit) listen(s *Settings) {
	if len(u.sockets) > 0 {
		s.Environ = append(s.Environ, config.Prefix+"LISTEN_ADDRESS="+u.sockets[0])
		if u.service.ActiveState.Data != "active" {
			s.Stopped = u.name
		}
	}
}

// findings say what is wrong with the unit itself.
func (u *unit) findings() []cli.Finding {
	var found []cli.Finding
	if state := u.service.ActiveState.Data; state != "active" {
		do := "systemctl start " + u.name
		if state != "inactive" {
			do = "journalctl -u " + u.name + " says why: correct that first, then " + do
		}
		found = append(found, cli.Warn(do, "unit %s: %s (%s)", u.name, state, u.service.SubState.Data))
	}
	if u.service.NeedDaemonReload.Data {
		found = append(
			found,
			cli.Warn("systemctl daemon-reload", "unit %s: its files are newer than what systemd has read",
				u.name),
		)
	}
	return found
}

// changes compares what a start would read with the environment of the running gate.
func (u *unit) changes(running []string) []cli.Finding {
	now, err := u.environ()
	if err != nil {
		return []cli.Finding{cli.Warn("the next start fails: correct the file", "unit %s: %v", u.name, err)}
	}
	before, after := variables(running), variables(now)
	all := maps.Clone(before)
	maps.Copy(all, after)
	var changed []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		old, had := before[name]
		value, has := after[name]
		if had != has || old != value {
			changed = append(changed, name)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	return []cli.Finding{cli.Warn("systemctl reload "+u.name+" && systemctl restart "+u.name+"; --unit "+u.name+
		" looks at the new settings", "unit %s: changed since its start: %s", u.name,
		strings.Join(changed, ", "))}
}

// variables are the gate's variables of an environment.
func variables(environ []string) map[string]string {
	set := map[string]string{}
	for _, entry := range environ {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, config.Prefix) {
			set[name] = value
		}
	}
	return set
}
