package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// identity is a user as the kernel knows one.
type identity struct {
	uid, gid int
	groups   []int // supplementary
}

// userOf returns the user that a process runs as.
func (m machine) userOf(pid int) (*identity, error) {
	text, err := os.ReadFile(m.path(pid, "status")) //permit:os.ReadFile of /proc
	if err != nil {
		return nil, err
	}
	id := &identity{uid: -1, gid: -1}
	for line := range strings.Lines(string(text)) {
		key, rest, _ := strings.Cut(line, ":")
		var numbers []int
		for _, field := range strings.Fields(rest) {
			if n, err := strconv.Atoi(field); err == nil {
				numbers = append(numbers, n)
			}
		}
		switch {
		case key == "Groups":
			id.groups = numbers
		case key == "Uid":
			id.uid = only(numbers)
		case key == "Gid":
			id.gid = only(numbers)
		}
	}
	if id.uid < 0 || id.gid < 0 {
		return nil, fmt.Errorf("%s: not the rights of one user alone", m.path(pid, "status"))
	}
	return id, nil
}

// only is the number that the real, the effective, the saved and the file system's user are; -1 if
// they differ: a setuid program has the variables of one and the rights of another.
func only(numbers []int) int {
	if numbers = slices.Compact(numbers); len(numbers) == 1 {
		return numbers[0]
	}
	return -1
}

// lookupUser finds a user by name or number with its groups; group replaces the first one if it is
// not empty. It is nil for a user that is not there, such as that of DynamicUser= between two runs.
func lookupUser(name, group string) *identity {
	u, err := user.Lookup(name)
	if err != nil {
		if u, err = user.LookupId(name); err != nil {
			return nil
		}
	}
	if g, err := user.LookupGroup(group); err == nil {
		u.Gid = g.Gid
	}
	uid, uidErr := strconv.Atoi(u.Uid)
	gid, gidErr := strconv.Atoi(u.Gid)
	if uidErr != nil || gidErr != nil {
		return nil
	}
	id := &identity{uid: uid, gid: gid}
	names, _ := u.GroupIds()
	for _, number := range names {
		if n, err := strconv.Atoi(number); err == nil {
			id.groups = append(id.groups, n)
		}
	}
	return id
}

// Become makes root, for good, the user that the settings are of: files are read with the rights
// of the gate, and a firewall lets it reach the runner. For other users it changes nothing.
func (s *Settings) Become() error {
	if s.user == nil || s.user.uid == 0 || os.Geteuid() != 0 {
		return nil
	}
	if err := s.user.become(); err != nil {
		return fmt.Errorf("settings of %s: become user %d: %w", s.Whose, s.user.uid, err)
	}
	return nil
}

// OfAnotherUser adds to err, the errors of the gate's files, that the gate's user may read what this
// one may not. It returns err as it is if that is not so.
func (s *Settings) OfAnotherUser(err error) error {
	if s.user == nil || s.IsUser() || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return errors.Join(err, &cli.ConfigError{Thing: "settings of " + s.Whose,
		Wrong: "the gate has another user, who may read what this user may not", Advice: "run the command as root"})
}

// IsUser tells whether this process has the user that the settings are of.
func (s *Settings) IsUser() bool { return s.user != nil && s.user.uid == os.Geteuid() }
