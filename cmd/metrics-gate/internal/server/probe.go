package server

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// answers connects to the listener at addr and waits for the first word of the server.
// dialed is told the address that the connection comes from.
func answers(ctx context.Context, addr net.Addr, plain bool, dialed func(net.Addr)) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", config.DialAddress(addr.String()))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	dialed(conn.LocalAddr())
	if plain {
		return nil
	}
	// The certificate is not the question here, and its name may be any: only that
	// the server shakes hands. The connection carries nothing.
	client := tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	return client.HandshakeContext(ctx)
}
