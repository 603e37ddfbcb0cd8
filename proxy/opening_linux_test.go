//go:build linux && !race

package proxy

// allocations of an exchange.
const allocations = 1
