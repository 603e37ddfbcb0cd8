//go:build !unix

package settings

import "errors"

// become is not needed: os.Geteuid is never 0 here.
func (*identity) become() error { return errors.ErrUnsupported }
