//go:build unix

package safefile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

func TestReadDoesNotWaitForAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := safefile.Read(path, safefile.Rule{MaxBytes: 1}); !errors.Is(err, safefile.ErrNotRegular) {
		t.Errorf("got %v", err)
	}
}

func TestReadJudgesTheMode(t *testing.T) {
	open, secret, public := safefile.Rule{
		MaxBytes: 9,
	}, safefile.Rule{
		MaxBytes: 9,
		Secret:   true,
	}, safefile.Rule{
		MaxBytes: 9,
		Public:   true,
	}
	for _, tc := range []struct {
		mode fs.FileMode
		rule safefile.Rule
		want error
	}{
		{0o600, secret, nil},
		{0o640, secret, nil},
		{0o440, secret, nil},
		{0o660, secret, nil}, // the group is the process's own
		{0o644, secret, safefile.ErrReadable},
		{0o622, secret, safefile.ErrWritable},
		{0o602, secret, safefile.ErrWritable},
		{0o644, open, nil},
		{0o664, open, nil},
		{0o646, open, safefile.ErrWritable},
		{0o666, open, safefile.ErrWritable},
		{0o666, public, nil},
	} {
		_, err := safefile.Read(write(t, "content", tc.mode), tc.rule)
		if !errors.Is(err, tc.want) {
			t.Errorf("mode %04o, %+v: got %v, want %v", tc.mode, tc.rule, err, tc.want)
		}
		var failure *safefile.Error
		if errors.As(err, &failure) && failure.Advice == "" {
			t.Errorf("mode %04o: no advice", tc.mode)
		}
	}
}

// A file of another group takes root to make, so the rule is asked about the file's description.
func TestOnlyOwnGroupsMayWrite(t *testing.T) {
	path := write(t, "content", 0o660)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	stat := *info.Sys().(*syscall.Stat_t)
	for _, tc := range []struct {
		gid  uint32
		want error
	}{
		{0, nil}, {uint32(os.Getegid()), nil}, {uint32(os.Getegid()) + 1, safefile.ErrWritable},
	} {
		stat.Gid = tc.gid
		err := safefile.CheckAccess(described{info, &stat}, safefile.Rule{MaxBytes: 9})
		if !errors.Is(err, tc.want) {
			t.Errorf("group %d: got %v, want %v", tc.gid, err, tc.want)
		}
	}
}

// described is a file's description with another stat.
type described struct {
	fs.FileInfo
	stat *syscall.Stat_t
}

func (d described) Sys() any { return d.stat }

// Root may read all files, so the advice is asked for with the error that others get.
func TestAdviceNamesWhoMayReadAFile(t *testing.T) {
	path := write(t, "content", 0o600)
	folder := filepath.Dir(path)
	if err := os.Chmod(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		path string
		err  error
		want []string
	}{
		{path, fs.ErrPermission, []string{path, "with mode 0600", "chgrp metrics-gate FILE && chmod 0640 FILE"}},
		{path + "-hidden", fs.ErrPermission, []string{folder, "with mode 0700: put the file where"}},
		{filepath.Join(folder, "none", "tls.crt"), fs.ErrNotExist, []string{"install it", "folder is " + folder}},
		{path, syscall.EMFILE, nil},
	} {
		got := safefile.AdviceOpen(tc.path, tc.err)
		if (got == "") != (tc.want == nil) {
			t.Errorf("%s: %v: %q", tc.path, tc.err, got)
		}
		for _, want := range tc.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %v: %q lacks %q", tc.path, tc.err, got, want)
			}
		}
	}
	_, err := safefile.Read(path+"-none", safefile.Rule{MaxBytes: 9})
	if failure, ok := errors.AsType[*safefile.Error](err); !ok || !strings.Contains(failure.Advice, "install it") {
		t.Errorf("%+v", err)
	}
}

// The group of others may serve others: no advice changes it.
func TestAdviceLeavesGroupsOfOthersAlone(t *testing.T) {
	path := write(t, "content", 0o640)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	stat := *info.Sys().(*syscall.Stat_t)
	stat.Gid = uint32(os.Getegid()) + 1
	if got := safefile.AdviceDenied(path, described{info, &stat}); strings.Contains(got, "chgrp") ||
		!strings.Contains(got, "with mode 0640: its group may read it, and this user is not in it") {
		t.Error(got)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if info, err = os.Stat(path); err != nil {
		t.Fatal(err)
	}
	if got := safefile.AdviceDenied(path, described{info, &stat}); strings.Contains(got, "chgrp") ||
		!strings.Contains(got, "with mode 0600: give the gate a copy") {
		t.Error(got)
	}
}
