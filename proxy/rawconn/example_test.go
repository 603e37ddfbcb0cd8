package rawconn_test

import (
	"fmt"
	"io"
	"net"

	"github.com/metrics-gate/metrics-gate/proxy/rawconn"
)

// A request on a kept connection. Nothing is written to a peer that has closed it.
func ExampleWriteIfIdle() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = listener.Close() }()
	dialled, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = dialled.Close() }()
	peer, err := listener.Accept()
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() { // the peer answers once, and closes
		request := make([]byte, 64)
		n, _ := peer.Read(request)
		_, _ = fmt.Fprintf(peer, "answer to %q", request[:n])
		_ = peer.Close()
	}()
	conn := rawconn.Wrap(dialled)
	fmt.Println(rawconn.WriteIfIdle(conn, []byte("request")))
	answer, err := io.ReadAll(conn)
	fmt.Println(string(answer), err)
	fmt.Println(rawconn.WriteIfIdle(conn, []byte("request")))
	// Output:
	// <nil>
	// answer to "request" <nil>
	// connection is closed or not idle
}
