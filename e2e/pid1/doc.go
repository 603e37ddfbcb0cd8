// Package pid1 tests the Debian package and docs/systemd.md on a host: systemd runs as PID 1 in
// namespaces of its own, over an overlay of this machine's root. It needs root and cgroup v2.
//
// Nothing outlives the test: all mounts belong to the machine's mount namespace, all its files
// to a tmpfs there, and the kernel kills the whole PID namespace with the test.
package pid1
