//go:build !unix && !windows

package safefile

import (
	"io/fs"
	"os"
)

const nonblock = 0

// adviceDenied has none: Go knows no permissions of files on this system.
func adviceDenied(string, fs.FileInfo) string { return "" }

// checkAccess judges nothing: Go knows no permissions of files on this system.
func checkAccess(*os.File, fs.FileInfo, Rule) error { return nil }
