//go:build !linux || race

package proxy

import "net"

// opening has nothing to remember here.
type opening struct{}

func (o *opening) prepare(net.Conn) {}

// send sends the request. On a connection that was used before, it looks whether the
// peer is silent first.
func (l *link) send() error {
	if l.used && !l.quiet() {
		return errStale
	}
	_, err := l.conn.Write(l.out)
	return err
}
