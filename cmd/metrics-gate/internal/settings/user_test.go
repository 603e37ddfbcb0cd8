//go:build unix

package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// A file that only the gate's user may read is no fault of the file.
func TestFilesOfAnotherUser(t *testing.T) {
	denied := &cli.ConfigError{Thing: "TOKENS_FILE", Wrong: "permission denied", Advice: "chmod",
		Err: fmt.Errorf("open: %w", fs.ErrPermission)}
	other := &cli.ConfigError{Thing: "RATE_LIMIT", Wrong: "must be more than 0"}
	for _, test := range []struct {
		user *identity
		err  error
		more bool
	}{
		{&identity{uid: os.Geteuid() + 1}, errors.Join(other, denied), true},
		{&identity{uid: os.Geteuid() + 1}, other, false},
		{&identity{uid: os.Geteuid()}, denied, false},
		{nil, denied, false},
	} {
		s := &Settings{Whose: "unit a.service", user: test.user}
		reports := cli.ErrorReports(s.OfAnotherUser(test.err))
		last := reports[len(reports)-1]
		said := last.Thing == "settings of unit a.service" && last.Advice == "run the command as root"
		if said != test.more {
			t.Errorf("%+v %v: %+v", test.user, test.err, reports)
		}
	}
}
