//go:build !unix && !windows

package safefile

import (
	"io/fs"
	"os"
)

const nonblock = 0

// checkAccess judges nothing: Go knows no permissions of files on this system.
func checkAccess(*os.File, fs.FileInfo, Rule) error { return nil }
