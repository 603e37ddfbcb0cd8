// Package rawconn has TCP connections that cost less: reads and writes without the
// scheduler's bookkeeping around blocking calls, a write that a probe precedes, and a cork
// that collects small writes. It does so on Linux; elsewhere, and with the build tag plain,
// connections are those of package net.
//
// It must not know what is read or written, nor of TLS or HTTP above it.
package rawconn
