//go:build !linux

package gate

// releaseProgram does nothing here.
func releaseProgram() {}
