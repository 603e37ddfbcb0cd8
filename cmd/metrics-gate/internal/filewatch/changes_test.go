package filewatch

import (
	"os"
	"path/filepath"
	"testing"
)

// must stops the test at the first error.
func must(t *testing.T, all ...error) {
	t.Helper()
	for _, err := range all {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// tree makes a folder in which the way to way/file leads over links, as in a volume of
// Kubernetes: way/file -> ..data/file, ..data -> v1, in a folder of its own.
func tree(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "mount", "v1"), 0o700),
		os.MkdirAll(filepath.Join(dir, "mount", "v2"), 0o700),
		os.Symlink("v1", filepath.Join(dir, "mount", "..data")),
		os.Symlink("..data/file", filepath.Join(dir, "mount", "file")),
		os.Symlink("mount", filepath.Join(dir, "way")))
	write(t, filepath.Join(dir, "mount", "v1", "file"), "content 1")
	write(t, filepath.Join(dir, "mount", "v2", "file"), "content 2")
	return dir
}

// changes are the ways in which the file way/file of a tree becomes another.
func changes() map[string]func(t *testing.T, dir string) {
	file := func(dir string) string { return filepath.Join(dir, "mount", "v1", "file") }
	return map[string]func(t *testing.T, dir string){
		"written in place": func(t *testing.T, dir string) {
			write(t, file(dir), "content 3")
		},
		"renamed over": func(t *testing.T, dir string) {
			write(t, file(dir)+".new", "content 3")
			must(t, os.Rename(file(dir)+".new", file(dir)))
		},
		"renamed over, with the same size and time": func(t *testing.T, dir string) {
			info, err := os.Stat(file(dir))
			must(t, err)
			write(t, file(dir)+".new", "content 3")
			must(t, os.Chtimes(file(dir)+".new", info.ModTime(), info.ModTime()),
				os.Rename(file(dir)+".new", file(dir)))
		},
		"removed and made again": func(t *testing.T, dir string) {
			must(t, os.Remove(file(dir)))
			write(t, file(dir), "content 3")
		},
		"removed": func(t *testing.T, dir string) {
			must(t, os.Remove(file(dir)))
		},
		"..data swapped": func(t *testing.T, dir string) {
			link := filepath.Join(dir, "mount", "..data")
			must(t, os.Symlink("v2", link+"_tmp"), os.Rename(link+"_tmp", link))
		},
		"link changed": func(t *testing.T, dir string) {
			link := filepath.Join(dir, "mount", "file")
			must(t, os.Remove(link), os.Symlink("v2/file", link))
		},
		"folder replaced": func(t *testing.T, dir string) {
			v1 := filepath.Join(dir, "mount", "v1")
			must(t, os.Rename(v1, v1+".old"), os.Rename(filepath.Join(dir, "mount", "v2"), v1))
		},
		"folder above replaced": func(t *testing.T, dir string) {
			mount := filepath.Join(dir, "mount")
			must(t, os.Rename(mount, mount+".old"), os.CopyFS(mount, os.DirFS(mount+".old")))
		},
		"folder removed and made again": func(t *testing.T, dir string) {
			v1 := filepath.Join(dir, "mount", "v1")
			must(t, os.RemoveAll(v1), os.Mkdir(v1, 0o700))
			write(t, file(dir), "content 3")
		},
		"mode changed": func(t *testing.T, dir string) {
			must(t, os.Chmod(file(dir), 0o644))
		},
	}
}
