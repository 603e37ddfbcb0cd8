package doctor

import (
	"crypto/tls"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// dropPackets puts a socket in the gate's place whose queue of connections is full: the
// kernel drops further SYN packets, as a firewall does.
func dropPackets(t *testing.T, s *site) {
	s.stopped = true
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	port, err := strconv.Atoi(s.port)
	if err != nil {
		t.Fatal(err)
	}
	address := &syscall.SockaddrInet4{Port: port}
	copy(address.Addr[:], net.ParseIP(s.host).To4())
	if err := syscall.Bind(fd, address); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		conn, err := net.DialTimeout("tcp", s.target, 300*time.Millisecond)
		if err != nil {
			return
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	t.Fatal("the queue does not fill")
}

// otherProgram puts an HTTPS server in the gate's place that answers with a web page.
func otherProgram(t *testing.T, s *site) {
	s.stopped = true
	ln, err := net.Listen("tcp", s.target)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(s.File("server.pem"), s.File("server-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>Welcome</title>\n"))
	})}
	go func() {
		_ = server.Serve(tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{pair}}))
	}()
	t.Cleanup(func() { _ = server.Close() })
}
