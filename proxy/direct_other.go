//go:build !linux || plain

package proxy

import "net"

// direct returns conn.
func direct(conn net.Conn) net.Conn { return conn }
