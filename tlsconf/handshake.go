package tlsconf

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
)

// errHandshake wraps why a set of files cannot serve anybody.
var errHandshake = errors.New("no TLS handshake succeeds with it")

// tryHandshakes does one handshake of each permitted version with itself, in memory: what
// parses may still have a key that TLS does not know, or be larger than a message. The client
// presents no certificate, but reads the request for one. Trust in either side is not asked.
func tryHandshakes(config *tls.Config) error {
	server := config.Clone()
	server.VerifyConnection = nil
	if server.ClientAuth != tls.NoClientCert {
		server.ClientAuth = tls.RequestClientCert
	}
	for version := server.MinVersion; version <= tls.VersionTLS13; version++ {
		client := &tls.Config{
			InsecureSkipVerify: true, // only the server's own certificate can answer
			MinVersion:         version, MaxVersion: version, NextProtos: server.NextProtos,
		}
		if err := handshake(server, client); err != nil {
			return fmt.Errorf("%w: %s: %w", errHandshake, tls.VersionName(version), err)
		}
	}
	return nil
}

// handshake runs both sides over a connection in memory. Of their errors it returns the one
// that is not an echo of the other.
func handshake(server, client *tls.Config) error {
	toClient, toServer := make(chan []byte, 1<<10), make(chan []byte, 1<<10)
	failed := make(chan error, 1)
	go func() {
		defer close(toServer)
		failed <- tls.Client(&memoryConn{in: toClient, out: toServer}, client).HandshakeContext(context.Background())
	}()
	serverErr := tls.Server(&memoryConn{in: toServer, out: toClient}, server).HandshakeContext(context.Background())
	close(toClient)
	clientErr := <-failed
	if serverErr == nil || isEcho(serverErr) && clientErr != nil {
		return clientErr
	}
	return serverErr
}

// isEcho reports whether err only says that the other side gave up.
func isEcho(err error) bool {
	remote, ok := errors.AsType[*net.OpError](err)
	return ok && remote.Op == "remote error" || errors.Is(err, io.EOF)
}

// memoryConn is one end of a connection in memory. Its channels are far larger than a
// handshake, so that both sides may write at once, as they do when one of them gives up.
type memoryConn struct {
	net.Conn // nil: a handshake without a deadline only reads and writes
	in       <-chan []byte
	out      chan<- []byte
	unread   []byte
}

// Read implements net.Conn. The end of the other side is io.EOF.
func (c *memoryConn) Read(p []byte) (int, error) {
	for len(c.unread) == 0 {
		next, open := <-c.in
		if !open {
			return 0, io.EOF
		}
		c.unread = next
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

// Write implements net.Conn.
func (c *memoryConn) Write(p []byte) (int, error) {
	c.out <- bytes.Clone(p)
	return len(p), nil
}
