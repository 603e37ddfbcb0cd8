package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// TestArchitectureNamesWhatExists holds every file and function that ARCHITECTURE.md names to the
// code: "`path/file.go` `name`, `name`" means functions of that file.
func TestArchitectureNamesWhatExists(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(harness.Root(), "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	file := regexp.MustCompile("`([a-z0-9_/.-]+\\.go)`((?: `[A-Za-z]+`,?)*)")
	name := regexp.MustCompile("`([A-Za-z]+)`")
	found := 0
	for _, match := range file.FindAllStringSubmatch(string(page), -1) {
		path, ok := located(match[1])
		if !ok {
			t.Errorf("%s: no such file", match[1])
			continue
		}
		functions := functionsOf(t, path)
		for _, function := range name.FindAllStringSubmatch(match[2], -1) {
			found++
			if !functions[function[1]] {
				t.Errorf("%s: no function %s", match[1], function[1])
			}
		}
	}
	if found < 50 {
		t.Errorf("%d functions named, more than 50 wanted: has the form of the table changed?", found)
	}
}

// located finds a file by its path, which may leave out the directory of the rooms or be a bare name.
func located(path string) (string, bool) {
	const cmd = "cmd/metrics-gate"
	for _, prefix := range []string{"", cmd, cmd + "/internal", cmd + "/internal/*"} {
		if found, err := filepath.Glob(filepath.Join(harness.Root(), prefix, path)); err == nil && len(found) > 0 {
			return found[0], true
		}
	}
	found, err := filepath.Glob(filepath.Join(harness.Root(), "proxy/*", path))
	return strings.Join(found, " "), err == nil && len(found) == 1
}

func functionsOf(t *testing.T, path string) map[string]bool {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	functions := map[string]bool{}
	for _, declared := range parsed.Decls {
		if f, ok := declared.(*ast.FuncDecl); ok {
			functions[f.Name.Name] = true
		}
	}
	return functions
}
