// Package doctor injects faults between a gate and a real Prometheus, and reads what
// metrics-gate doctor --prometheus says about each.
package doctor
