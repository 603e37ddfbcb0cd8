//go:build !unix

package rawconn

import "net"

// idle cannot look at a connection here without waiting. A closed one is noticed in use.
func idle(net.Conn) bool { return true }
