package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// create makes the file for a profile, which must not exist: o.output, or the next free number of
// the profile's name in the folder for profiles.
func (o *pprofOptions) create(p *cli.Process, target *url.URL) (*os.File, error) {
	if o.output != "" {
		return createNew(o.output)
	}
	folder, err := profileFolder(p)
	if err != nil {
		return nil, err
	}
	base, extension := profileName(target)
	for n := 1; ; n++ {
		f, err := createNew(filepath.Join(folder, fmt.Sprintf("%s.%03d%s", base, n, extension)))
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// createNew makes a file for the user alone: a profile tells about the program.
func createNew(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

// profileFolder is where go tool pprof saves profiles: $PPROF_TMPDIR, ~/pprof, or the folder for
// temporary files.
func profileFolder(p *cli.Process) (string, error) {
	folder := p.Getenv("PPROF_TMPDIR")
	if home := p.Getenv("HOME"); folder == "" && home != "" {
		folder = filepath.Join(home, "pprof")
	}
	if folder == "" {
		return os.TempDir(), nil
	}
	return folder, os.MkdirAll(folder, 0o755)
}

// profileName is the file's name as go tool pprof makes it, pprof.NAME.TYPES, with the host in the
// place of the program, and what follows the number.
func profileName(u *url.URL) (base, extension string) {
	name := path.Base(u.Path)
	types := map[string]string{
		"allocs": "alloc_objects.alloc_space.inuse_objects.inuse_space", "block": "contentions.delay",
		"heap":  "alloc_objects.alloc_space.inuse_objects.inuse_space",
		"mutex": "contentions.delay", "profile": "samples.cpu",
	}
	host := strings.NewReplacer(":", "-", "%", "-").Replace(u.Hostname())
	base = "pprof." + host + "."
	switch {
	case strings.HasSuffix(u.Path, "/"):
		return base + "index", ".html"
	case name == "trace":
		return base + name, ".out"
	case u.Query().Has("debug") || name == "symbol" || name == "cmdline":
		return base + name, ".txt"
	case types[name] != "":
		return base + types[name], ".pb.gz"
	}
	return base + name, ".pb.gz"
}

// fileAdvice is about a file that cannot be made.
func fileAdvice(err error) string {
	switch {
	case errors.Is(err, fs.ErrExist):
		return "name a file that does not exist with -o FILE"
	case errors.Is(err, fs.ErrNotExist):
		return "make its folder first, or name another file with -o FILE"
	}
	return "name a file in a folder that you may write with -o FILE"
}
