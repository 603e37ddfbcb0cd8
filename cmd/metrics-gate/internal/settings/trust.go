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

// ownGates looks the gates up. It keeps those apart that root takes no settings from unless somebody
// names them: those that a user has started. Settings say which files are read, and where
// credentials are sent.
func (m machine) ownGates(ctx context.Context, gates []int) (own, others []process) {
	for _, pid := range gates {
		p := m.process(ctx, pid)
		id, err := m.userOf(pid)
		if !m.root || (err == nil && (id.uid == 0 || p.unit != nil)) {
			own = append(own, p)
		} else {
			others = append(others, p)
		}
	}
	return own, others
}

// unnamed says that only gates of users run here.
func (m machine) unnamed(gates []process) error {
	return &cli.ConfigError{Thing: "settings",
		Wrong:  "a user has started the gate that runs here",
		List:   m.list(gates),
		Advice: "if you trust that user, name it with --pid; or give --unit or --env-file"}
}
