package main

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// folder writes files in the order given, each at a time of its own.
func folder(t *testing.T, names []string) string {
	t.Helper()
	dir := t.TempDir()
	for i, name := range names {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := fs.FileMode(0o644)
		if filepath.Ext(name) == ".exe" {
			mode = 0o755
		}
		if err := os.WriteFile(path, []byte("content of "+name), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // whatever the umask is
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Unix(int64(i+1)*1e6, 0)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func pack(t *testing.T, dir string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out, dir, "gate_1.2.3", "1700000000"); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestSameFilesGiveTheSameBytes(t *testing.T) {
	names := []string{"gate.exe", "deploy/b/x", "deploy/a", "README.md"}
	one := pack(t, folder(t, names))
	slices.Reverse(names)
	old := time.Local
	defer func() { time.Local = old }()
	time.Local = time.FixedZone("elsewhere", 3600)
	if two := pack(t, folder(t, names)); !bytes.Equal(one, two) {
		t.Errorf("%d and %d bytes differ", len(one), len(two))
	}
}

func TestEntries(t *testing.T) {
	archive := pack(t, folder(t, []string{"gate.exe", "deploy/b/x", "deploy/a", "README.md"}))
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range r.File {
		names = append(names, f.Name)
		want := fs.FileMode(0o644)
		if f.Name == "gate_1.2.3/gate.exe" {
			want = 0o755
		}
		if f.Mode() != want {
			t.Errorf("%s: mode %v, want %v", f.Name, f.Mode(), want)
		}
		if !f.Modified.Equal(time.Unix(1700000000, 0)) {
			t.Errorf("%s: modified %v", f.Name, f.Modified)
		}
		content, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(content)
		if want := "content of " + f.Name[len("gate_1.2.3/"):]; err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", f.Name, text, err)
		}
	}
	want := []string{"gate_1.2.3/README.md", "gate_1.2.3/deploy/a", "gate_1.2.3/deploy/b/x", "gate_1.2.3/gate.exe"}
	if !slices.Equal(names, want) {
		t.Errorf("got  %q\nwant %q", names, want)
	}
}

func TestBadArguments(t *testing.T) {
	if err := write(io.Discard, t.TempDir(), "x", "soon"); err == nil {
		t.Error("a time that is no number is taken")
	}
	if err := write(io.Discard, filepath.Join(t.TempDir(), "missing"), "x", "0"); err == nil {
		t.Error("a folder that is not there is taken")
	}
}
