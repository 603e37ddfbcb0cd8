package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/licensecheck"
)

// license is what a module's license file says.
type license struct {
	ids  []string // SPDX identifiers, sorted
	text []byte
}

// licenses reads the license of each module from the module cache, by module path. A module
// without a license that is recognized is an error: nobody has looked at it yet.
func licenses(modules []*debug.Module) (map[string]license, error) {
	args := []string{"mod", "download", "-json"}
	for _, m := range modules {
		args = append(args, m.Path+"@"+m.Version)
	}
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("go mod download: %w", err)
	}
	found := map[string]license{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var m struct{ Path, Dir string }
		if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, err
		}
		if found[m.Path], err = read(m.Dir); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Path, err)
		}
	}
}

// read finds the license file in a module's folder.
func read(dir string) (license, error) {
	files, err := filepath.Glob(filepath.Join(dir, "LICEN[SC]E*"))
	if err != nil {
		return license{}, err
	}
	copying, err := filepath.Glob(filepath.Join(dir, "COPYING*"))
	if err != nil {
		return license{}, err
	}
	var l license
	for _, path := range append(files, copying...) {
		text, err := os.ReadFile(path)
		if err != nil {
			return license{}, err
		}
		l.text = append(append(l.text, text...), '\n')
		for _, match := range licensecheck.Scan(text).Match {
			l.ids = append(l.ids, match.ID)
		}
	}
	if len(l.ids) == 0 {
		return license{}, errors.New("no license recognized")
	}
	slices.Sort(l.ids)
	l.ids = slices.Compact(l.ids)
	return l, nil
}

// choices are the licenses of a component as CycloneDX has them.
func choices(ids ...string) *cdx.Licenses {
	var list cdx.Licenses
	for _, id := range ids {
		list = append(list, cdx.LicenseChoice{License: &cdx.License{ID: id}})
	}
	return &list
}

// notices writes the license texts of all modules, which a binary must come with.
func notices(path string, modules []*debug.Module, found map[string]license) error {
	var b bytes.Buffer
	for _, m := range modules {
		fmt.Fprintf(&b, "%s %s\n\n%s\n", m.Path, m.Version, found[m.Path].text)
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
