package safefile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

func write(t *testing.T, content string, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadReturnsTheContent(t *testing.T) {
	for _, content := range []string{"", "a", strings.Repeat("x", 100)} {
		got, err := safefile.Read(write(t, content, 0o600), safefile.Rule{MaxBytes: 100, Secret: true})
		if err != nil || string(got) != content {
			t.Errorf("%d bytes: got %d, %v", len(content), len(got), err)
		}
	}
}

func TestCopyStopsAfterTheLimit(t *testing.T) {
	var got strings.Builder
	n, err := safefile.Copy(&got, write(t, strings.Repeat("x", 100), 0o600), safefile.Rule{MaxBytes: 10})
	if !errors.Is(err, safefile.ErrTooLarge) || n != 11 || got.Len() != 11 {
		t.Errorf("copied %d bytes, %d received: %v", n, got.Len(), err)
	}
}

func TestReadFollowsLinks(t *testing.T) {
	path := write(t, "content", 0o600)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	got, err := safefile.Read(link, safefile.Rule{MaxBytes: 100})
	if err != nil || string(got) != "content" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestReadErrors(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	for name, tc := range map[string]struct {
		path string
		rule safefile.Rule
		want error
		text string
	}{
		"missing":   {missing, safefile.Rule{MaxBytes: 1}, fs.ErrNotExist, missing + ": "},
		"directory": {t.TempDir(), safefile.Rule{MaxBytes: 1}, safefile.ErrNotRegular, "is a directory"},
		"device":    {os.DevNull, safefile.Rule{MaxBytes: 1}, safefile.ErrNotRegular, "not a regular file"},
		"too large": {
			write(t, "12345", 0o600), safefile.Rule{MaxBytes: 4}, safefile.ErrTooLarge, "larger than 4 bytes",
		},
	} {
		t.Run(name, func(t *testing.T) {
			content, err := safefile.Read(tc.path, tc.rule)
			var failure *safefile.Error
			if content != nil || !errors.Is(err, tc.want) || !errors.As(err, &failure) || failure.Path != tc.path {
				t.Fatalf("got %q, %#v; want %v of %s", content, err, tc.want, tc.path)
			}
			if !strings.Contains(err.Error(), tc.text) {
				t.Errorf("error %q does not say %q", err, tc.text)
			}
		})
	}
}
