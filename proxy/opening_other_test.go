//go:build !linux || race

package proxy

// allocations of an exchange, at most: the look at the connection needs some.
const allocations = 8
