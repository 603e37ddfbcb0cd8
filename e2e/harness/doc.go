// Package harness drives the built binary and the real programs around it: it is what
// the end-to-end tests share. Everything binds loopback, and ends with its test.
package harness
