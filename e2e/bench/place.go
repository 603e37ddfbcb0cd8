package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// spawn starts a copy of a program, with copies of its shared libraries.
//
// Where the pages of a file lie in memory depends on how it was written, and on how scattered free
// memory was then. Pages that lie in many blocks of 2 MiB can cost far more: a virtual machine
// may need 0.1 ms for the first touch of a block that has rested for a second. So programs are
// compared as copies that were all written alike.
func (s site) spawn(ctx context.Context, name string, environ []string, argv ...string) (*process, error) {
	path, err := filepath.EvalSymlinks(argv[0])
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(s.Dir, "programs", strings.ReplaceAll(path, "/", "_"))
	program := filepath.Join(dir, filepath.Base(path))
	if _, err := os.Stat(program); err != nil {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		for _, file := range append(libraries(path), path) {
			if err := place(filepath.Join(dir, filepath.Base(file)), file); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	environ = append(environ, "LD_LIBRARY_PATH="+dir)
	return spawn(ctx, name, environ, append([]string{program}, argv[1:]...)...)
}

// libraries returns the paths of a program's shared libraries: none if it is linked statically.
func libraries(path string) (list []string) {
	out, err := exec.Command("ldd", path).Output()
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(out)) {
		if _, rest, ok := strings.Cut(line, " => "); ok {
			list = append(list, strings.Fields(rest)[0])
		}
	}
	return list
}

// place copies a file in pieces of 64 KiB. A file system that can keeps a piece together in
// memory.
func place(to, from string) error {
	const piece = 64 << 10
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o700)
	if err != nil {
		return err
	}
	for len(content) > 0 && err == nil {
		n := min(piece, len(content))
		_, err = f.Write(content[:n])
		content = content[n:]
	}
	return errors.Join(err, f.Close())
}
