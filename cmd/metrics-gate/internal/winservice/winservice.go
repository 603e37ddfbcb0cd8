// Package winservice is the command service: metrics-gate as a Windows service. It logs to
// the Windows Event Log, drains on stop and shutdown, and reloads on a parameter change.
// Only Windows has the command; what needs no Windows is in files for every system.
package winservice

// Name is the name of the service, of its virtual account below NT SERVICE, and of the
// source of its events.
const Name = "metrics-gate"
