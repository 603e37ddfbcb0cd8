package safefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// adviceOpen is what to do about a file that could not be opened; empty if err says all.
func adviceOpen(path string, err error) string {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	nearest := path // the part of path that this user can look at
	info, statErr := os.Stat(nearest)
	for statErr != nil && nearest != filepath.Dir(nearest) {
		nearest = filepath.Dir(nearest)
		info, statErr = os.Stat(nearest)
	}
	switch {
	case statErr != nil:
	case errors.Is(err, fs.ErrNotExist):
		return "install it, or correct the path: the nearest folder is " + nearest
	case errors.Is(err, fs.ErrPermission):
		return adviceDenied(nearest, info)
	}
	return ""
}
