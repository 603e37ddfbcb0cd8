//go:build !linux || plain

package rawconn

import "net"

// Wrap returns conn.
func Wrap(conn net.Conn) net.Conn { return conn }
