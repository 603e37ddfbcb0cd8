//go:build !unix

package filewatch

import "errors"

// stampOf is not supported here: not every change of a file shows without reading it.
func stampOf(string) (stamp, error) { return stamp{}, errors.ErrUnsupported }
