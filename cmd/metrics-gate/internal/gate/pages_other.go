//go:build !linux

package gate

// releasePages does nothing here.
func releasePages() {}
