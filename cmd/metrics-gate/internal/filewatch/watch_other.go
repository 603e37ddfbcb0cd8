//go:build !linux

package filewatch

import "errors"

// Watch is not supported here.
type Watch struct{}

// NewWatch is not supported here: files are looked at more often instead.
func NewWatch([]string) (*Watch, error) { return nil, errors.ErrUnsupported }

// Add is never called.
func (*Watch) Add([]string) error { return nil }

// Changed is never called.
func (*Watch) Changed() <-chan struct{} { return nil }

// Close is never called.
func (*Watch) Close() {}
