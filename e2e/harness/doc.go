// Package harness runs the built gate, Prometheus and stand-ins for a runner. All
// end-to-end tests share it. Every process and listener binds loopback and is stopped
// when its test ends.
package harness
