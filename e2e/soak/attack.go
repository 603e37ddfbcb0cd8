package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// attack is one round of a hostile client. Its result is counted.
type attack func(w *world, from string) string

// attacks returns all attacks by name.
func attacks() map[string]attack {
	return map[string]attack{
		"token guess": sends("",
			"GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer mg_guess\r\n\r\n"),
		"no credential": sends("", "GET /debug/pprof/profile?seconds=30 HTTP/1.1\r\nHost: a\r\n\r\n"),
		"forged token": sends("",
			"GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer eyJhbGciOiJub25lIn0.e30.\r\n\r\n"),
		"odd target":   sends("ops", "GET /metrics/../debug/jobs/list HTTP/1.1\r\nHost: a\r\n\r\n"),
		"unknown path": sends("ops", "GET /debug/jobs/list HTTP/1.1\r\nHost: a\r\n\r\n"),
		"body and another request": sends("ops",
			"GET /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics "+
				"HTTP/1.1\r\nHost: a\r\n\r\n"),
		"malformed request": sends("", "GET /metrics HTTP/1.1\r\nHost : a\r\n\r\n"),
		"huge header": sends("",
			"GET /metrics HTTP/1.1\r\nHost: a\r\nX: "+strings.Repeat("x", 64<<10)+"\r\n\r\n"),
		"many profiles":    sends("ops", "GET /debug/pprof/heap?seconds=1 HTTP/1.1\r\nHost: a\r\n\r\n"),
		"cpu profile":      sends("ops", "GET /debug/pprof/profile?seconds=1 HTTP/1.1\r\nHost: a\r\n\r\n"),
		"profile and gone": leaves("ops", "GET /debug/pprof/trace?seconds=30 HTTP/1.1\r\nHost: a\r\n\r\n"),
		"scrape and gone":  leaves("ops", "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"),
		"silence":          holds(""), "half a handshake": holds("\x16\x03\x01\x02\x00\x01"),
		"no handshake":  holds("GET / HTTP/1.1\r\n\r\n"),
		"half a header": drips("", "GET /metrics HTTP/1.1\r\nHost: a\r\nX: "),
		"half a body":   drips("", "POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n"),
		"slow reader":   slowReader, "reset": resets,
	}
}

// attack runs two clients for each attack until ctx ends.
func (w *world) attack(ctx context.Context, seen *counts) *sync.WaitGroup {
	var running sync.WaitGroup
	for name, a := range attacks() {
		for range 2 {
			running.Go(func() {
				for ctx.Err() == nil {
					from := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(200), rand.IntN(255), 1+rand.IntN(250))
					seen.add(name, a(w, from))
					pause(ctx, time.Duration(50+rand.IntN(100))*time.Millisecond)
				}
			})
		}
	}
	return &running
}

func (w *world) config(who string) *tls.Config {
	if who == "ops" {
		return w.ops
	}
	return w.plain
}

// sends sends text and returns the status of the answer.
func sends(who, text string) attack {
	return func(w *world, from string) string {
		wire, err := harness.Dial(w.gate.Address, from, w.config(who))
		if err != nil {
			return "no connection"
		}
		defer func() { _ = wire.Close() }()
		_ = wire.Send(text)
		method, _, _ := strings.Cut(text, " ")
		reply, err := wire.Receive(method)
		if err != nil {
			return "closed"
		}
		return fmt.Sprint(reply.Status)
	}
}

// leaves sends text and closes the connection without reading the answer.
func leaves(who, text string) attack {
	return func(w *world, from string) string {
		wire, err := harness.Dial(w.gate.Address, from, w.config(who))
		if err != nil {
			return "no connection"
		}
		_ = wire.Send(text)
		time.Sleep(20 * time.Millisecond) //permit:time.Sleep the client leaves while the gate works
		_ = wire.Close()
		return "left"
	}
}

// dial connects without a TLS handshake.
func dial(w *world, from string) (*net.TCPConn, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	conn, err := dialer.Dial("tcp", w.gate.Address)
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

// holds opens twenty connections, writes text on each and waits until the gate closes them.
func holds(text string) attack {
	return func(w *world, from string) string {
		var all []net.Conn
		for range 20 {
			conn, err := dial(w, from)
			if err != nil {
				continue
			}
			defer func() { _ = conn.Close() }()
			_, _ = conn.Write([]byte(text))
			all = append(all, conn)
		}
		for _, conn := range all {
			if !closed(conn) {
				return "HELD"
			}
		}
		return "closed"
	}
}

// closed waits until conn is closed and reports whether it was.
func closed(conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	buf := make([]byte, 4096)
	for {
		if _, err := conn.Read(buf); err != nil {
			timeout, ok := err.(net.Error)
			return !ok || !timeout.Timeout()
		}
	}
}

// drips writes a byte every 100 ms after text until the gate closes the connection.
func drips(who, text string) attack {
	return func(w *world, from string) string {
		wire, err := harness.Dial(w.gate.Address, from, w.config(who))
		if err != nil {
			return "no connection"
		}
		defer func() { _ = wire.Close() }()
		_ = wire.Send(text)
		for range 200 {
			if _, err := wire.Write([]byte("x")); err != nil {
				return "closed"
			}
			time.Sleep(100 * time.Millisecond) //permit:time.Sleep the pace of a slow client
		}
		return "HELD"
	}
}

// slowReader reads a large answer very slowly. The gate disconnects it long before the
// kernel's buffer is empty.
func slowReader(w *world, from string) string {
	conn, err := dial(w, from)
	if err != nil {
		return "no connection"
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetReadBuffer(4096)
	wire, err := harness.ClientTLS(conn, w.ops)
	if err != nil {
		return "no connection"
	}
	_ = wire.Send("GET /metrics HTTP/1.1\r\nHost: a\r\nAccept-Encoding: identity\r\n\r\n")
	for range 300 {
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := conn.Read(make([]byte, 256)); err != nil {
			return "cut"
		}
		time.Sleep(100 * time.Millisecond) //permit:time.Sleep the pace of a slow client
	}
	return "left"
}

// resets asks for a large answer and resets the connection during it.
func resets(w *world, from string) string {
	conn, err := dial(w, from)
	if err != nil {
		return "no connection"
	}
	defer func() { _ = conn.Close() }()
	wire, err := harness.ClientTLS(conn, w.ops)
	if err != nil {
		return "no connection"
	}
	_ = wire.Send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
	_, _ = conn.Read(make([]byte, 1000))
	_ = conn.SetLinger(0)
	return "reset"
}
