//go:build !unix

package settings

import (
	"errors"
	"io/fs"
)

// ownedByRoot is for systems with /proc.
func ownedByRoot(fs.FileInfo) bool { return false }

// become is not needed: os.Geteuid is never 0 here.
func (*identity) become() error { return errors.ErrUnsupported }
