package harness

import (
	"bytes"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Tape stands where the runner would and keeps every byte that reaches it. What it
// answers, or whether at all, is up to the test.
type Tape struct {
	Address string

	listener net.Listener
	mu       sync.Mutex
	links    []*Link
	requests []string
	answer   func(*Exchange)
}

// Link is a connection that the gate made to a tape.
type Link struct {
	net.Conn
	Gone chan struct{} // closed when the gate has closed or reset the connection

	mu   sync.Mutex
	more *sync.Cond
	got  []byte
	end  bool
}

// Exchange is one request that reached a tape.
type Exchange struct {
	*Link
	Request string // as it came: head and body
}

// StartTape listens on loopback and calls answer for each request, those of one
// connection one after the other. An answer may return without having written
// anything, or close the connection.
func StartTape(t testing.TB, answer func(*Exchange)) *Tape {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return StartTapeOn(t, ln, answer)
}

// StartTapeOn is StartTape on a listener of the caller's.
func StartTapeOn(t testing.TB, ln net.Listener, answer func(*Exchange)) *Tape {
	t.Helper()
	tape := &Tape{Address: ln.Addr().String(), listener: ln, answer: answer}
	go tape.accept()
	t.Cleanup(tape.Close)
	return tape
}

// Close ends the tape and its connections.
func (t *Tape) Close() {
	_ = t.listener.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range t.links {
		_ = l.Conn.Close()
	}
}

// Play changes the answer for requests yet to come.
func (t *Tape) Play(answer func(*Exchange)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answer = answer
}

// Requests is all requests that came, in their order.
func (t *Tape) Requests() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.requests...)
}

// Links is all connections that were made, in their order.
func (t *Tape) Links() []*Link {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]*Link(nil), t.links...)
}

// Bytes is everything that came, connection after connection.
func (t *Tape) Bytes() string {
	var all strings.Builder
	for _, l := range t.Links() {
		l.mu.Lock()
		all.Write(l.got)
		l.mu.Unlock()
	}
	return all.String()
}

func (t *Tape) accept() {
	for {
		conn, err := t.listener.Accept()
		if err != nil {
			return
		}
		l := &Link{Conn: conn, Gone: make(chan struct{})}
		l.more = sync.NewCond(&l.mu)
		t.mu.Lock()
		t.links = append(t.links, l)
		t.mu.Unlock()
		go l.record()
		go t.serve(l)
	}
}

// record reads on whatever the answers do, so that the end is seen when it comes.
func (l *Link) record() {
	buf := make([]byte, 64<<10)
	for {
		n, err := l.Read(buf)
		l.mu.Lock()
		l.got = append(l.got, buf[:n]...)
		l.end = err != nil
		l.more.Broadcast()
		l.mu.Unlock()
		if err != nil {
			close(l.Gone)
			return
		}
	}
}

func (t *Tape) serve(l *Link) {
	for from := 0; ; {
		request := l.next(from)
		if request == "" {
			return
		}
		from += len(request)
		t.mu.Lock()
		t.requests = append(t.requests, request)
		answer := t.answer
		t.mu.Unlock()
		answer(&Exchange{l, request})
	}
}

// next waits for the whole request that begins at from; "" is the end.
func (l *Link) next(from int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if n := requestLength(l.got[from:]); n > 0 {
			return string(l.got[from : from+n])
		}
		if l.end {
			return ""
		}
		l.more.Wait()
	}
}

// requestLength is the length of the request that b begins with, 0 if it is not complete.
func requestLength(b []byte) int {
	i := bytes.Index(b, []byte("\r\n\r\n"))
	if i < 0 {
		return 0
	}
	length := 0
	for line := range strings.SplitSeq(string(b[:i]), "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(name, "Content-Length") {
			length, _ = strconv.Atoi(strings.TrimSpace(value))
		}
	}
	if len(b) < i+4+length {
		return 0
	}
	return i + 4 + length
}

// TextFormat is the content type of the classic exposition format.
const TextFormat = "text/plain; version=0.0.4; charset=utf-8"

// Send sends text on the connection; a gate that has gone is no error.
func (x *Exchange) Send(text string) { _, _ = x.Write([]byte(text)) }

// Exposes answers every request with body, as an exposition in text.
func Exposes(body string) func(*Exchange) {
	return Says(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", TextFormat, len(body), body))
}

// Says answers every request with text, whatever it means.
func Says(text string) func(*Exchange) { return func(x *Exchange) { x.Send(text) } }
