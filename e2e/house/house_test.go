// Package house_test checks the limits of CONTRIBUTING.md over all Go files of the
// repository, in every module.
package house_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// Limits of CONTRIBUTING.md.
const (
	maxColumns       = 120 // of a line, with a tab of 4
	maxLines         = 250 // of a file that is no test
	maxFunctionLines = 60
	maxPackageFiles  = 30
	maxMainFiles     = 8  // of package main in cmd/metrics-gate
	maxRoomFiles     = 12 // of a package in cmd/metrics-gate/internal
)

// source is a Go file: its path from the root of the repository, its bytes and its syntax.
type source struct {
	path string
	text []byte
	file *ast.File
}

// sources parses every Go file that git tracks or would track.
func sources(t *testing.T) (*token.FileSet, []source) {
	t.Helper()
	list := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "*.go")
	list.Dir = harness.Root()
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var all []source
	for path := range strings.FieldsSeq(string(out)) {
		text, err := readIfPresent(filepath.Join(harness.Root(), path))
		if err != nil {
			t.Fatal(err)
		}
		if text == nil {
			continue // deleted, but still in git's index
		}
		file, err := parser.ParseFile(set, path, text, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, source{path, text, file})
	}
	if len(all) < 100 {
		t.Fatalf("%d Go files", len(all))
	}
	return set, all
}

func isTest(path string) bool { return strings.HasSuffix(path, "_test.go") }

func TestLinesAndFilesAreShort(t *testing.T) {
	_, all := sources(t)
	for _, s := range all {
		n := 0
		for line := range bytes.Lines(s.text) {
			n++
			if width := columns(bytes.TrimRight(line, "\n")); width > maxColumns {
				t.Errorf("%s:%d: %d columns, at most %d", s.path, n, width, maxColumns)
			}
		}
		if n > maxLines && !isTest(s.path) {
			t.Errorf("%s: %d lines, at most %d", s.path, n, maxLines)
		}
	}
}

// columns returns the width of a line with tab stops every 4 columns.
func columns(line []byte) int {
	width := 0
	for len(line) > 0 {
		r, size := utf8.DecodeRune(line)
		line = line[size:]
		width++
		if r == '\t' {
			width += (4 - width%4) % 4
		}
	}
	return width
}

func TestColumnsCountsTabStops(t *testing.T) {
	for line, want := range map[string]int{"": 0, "a": 1, "\t": 4, "a\t": 4, "abcd\t": 8, "\ta": 5, "µs": 2} {
		if got := columns([]byte(line)); got != want {
			t.Errorf("%q: %d, want %d", line, got, want)
		}
	}
}

// A table of a test may be as long as its cases.
func TestFunctionsAreShort(t *testing.T) {
	set, all := sources(t)
	for _, s := range all {
		if isTest(s.path) {
			continue
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			from, to := set.Position(f.Pos()).Line, set.Position(f.End()).Line
			if lines := to - from + 1; lines > maxFunctionLines {
				t.Errorf("%s:%d: %s has %d lines, at most %d", s.path, from, f.Name.Name, lines, maxFunctionLines)
			}
		}
	}
}

func TestPackagesAreSmall(t *testing.T) {
	_, all := sources(t)
	files := map[string]int{}
	for _, s := range all {
		if !isTest(s.path) {
			files[filepath.ToSlash(filepath.Dir(s.path))]++
		}
	}
	for dir, n := range files {
		limit := maxPackageFiles
		switch {
		case dir == "cmd/metrics-gate":
			limit = maxMainFiles
		case strings.HasPrefix(dir, "cmd/metrics-gate/internal/"):
			limit = maxRoomFiles
		}
		if n > limit {
			t.Errorf("%s: %d files, at most %d", dir, n, limit)
		}
	}
}
