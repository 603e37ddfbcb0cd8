package settings

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// errProgram is the error for a process that is no gate.
var errProgram = errors.New("runs another program than this one, which others than root can write")

// program checks that a process runs this program, or one that only root can write: a name and
// variables are what any user can give to a process. A program with setuid or setgid has the
// variables of one user and the rights of another.
func (m machine) program(pid int) error {
	theirs, err := os.Stat(m.path(pid, "exe"))
	if err != nil {
		return err
	}
	if own, err := os.Stat(m.path(m.self, "exe")); err == nil && os.SameFile(own, theirs) {
		return nil
	}
	link, err := os.Readlink(m.path(pid, "exe"))
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(filepath.Base(link), " (deleted)")
	if name != "metrics-gate" || theirs.Mode()&(os.ModeSetuid|os.ModeSetgid) != 0 || theirs.Mode().Perm()&0o022 != 0 ||
		!ownedByRoot(theirs) {
		return errProgram
	}
	return nil
}

// ownGates leaves out the gates that root takes no settings from unless somebody names them: those
// that a user has started. Settings say which files are read, and where credentials are sent.
func (m machine) ownGates(ctx context.Context, gates []int) (own, others []int) {
	if !m.root {
		return gates, nil
	}
	for _, pid := range gates {
		id, err := m.userOf(pid)
		if err == nil && (id.uid == 0 || m.unitOf(ctx, pid) != nil) {
			own = append(own, pid)
		} else {
			others = append(others, pid)
		}
	}
	return own, others
}

// unnamed says that only gates of users run here.
func (m machine) unnamed(ctx context.Context, gates []int) error {
	return &cli.ConfigError{Thing: "settings",
		Wrong:  "a user has started the gate that runs here: " + m.list(ctx, gates),
		Advice: "if you trust that user, name it with --pid; or give --unit or --env-file"}
}
