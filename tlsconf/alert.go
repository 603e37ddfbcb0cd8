package tlsconf

import (
	"crypto/tls"
	"errors"
	"net"
	"reflect"
)

// AlertOf finds the alert of the peer (RFC 8446 section 6) in the error of a handshake or a read.
// crypto/tls returns it as a type of its own, which is a uint8 as tls.AlertError is, in a
// net.OpError.
func AlertOf(err error) (alert tls.AlertError, ok bool) {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" {
		return 0, false
	}
	if v := reflect.ValueOf(op.Err); v.Kind() == reflect.Uint8 {
		return tls.AlertError(v.Uint()), true
	}
	return 0, false
}
