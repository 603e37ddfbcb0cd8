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

// Recorder takes the place of a runner and records every byte that the gate sends. The
// test decides what it answers, and whether it answers at all.
type Recorder struct {
	Address string

	listener net.Listener
	mu       sync.Mutex
	conns    []*RecordedConn
	requests []string
	answer   func(*Exchange)
}

// RecordedConn is a connection from the gate to a recorder.
type RecordedConn struct {
	net.Conn
	Closed chan struct{} // is closed when the gate closes or resets the connection

	mu   sync.Mutex
	more *sync.Cond
	got  []byte
	end  bool
}

// Exchange is one request to a recorder.
type Exchange struct {
	*RecordedConn
	Request string // the bytes of head and body
}

// StartRecorder listens on loopback and calls answer for each request. The requests of
// one connection are answered in sequence. answer may write nothing, or close the connection.
func StartRecorder(t testing.TB, answer func(*Exchange)) *Recorder {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return StartRecorderOn(t, ln, answer)
}

// StartRecorderOn is StartRecorder with the caller's listener.
func StartRecorderOn(t testing.TB, ln net.Listener, answer func(*Exchange)) *Recorder {
	t.Helper()
	recorder := &Recorder{Address: ln.Addr().String(), listener: ln, answer: answer}
	go recorder.accept()
	t.Cleanup(recorder.Close)
	return recorder
}

// Close closes the listener and all connections.
func (r *Recorder) Close() {
	_ = r.listener.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.conns {
		_ = l.Conn.Close()
	}
}

// SetAnswer replaces the answer for later requests.
func (r *Recorder) SetAnswer(answer func(*Exchange)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// Requests returns all requests in order of arrival.
func (r *Recorder) Requests() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.requests...)
}

// Conns returns all connections in order of arrival.
func (r *Recorder) Conns() []*RecordedConn {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*RecordedConn(nil), r.conns...)
}

// Bytes returns all received bytes, grouped by connection.
func (r *Recorder) Bytes() string {
	var all strings.Builder
	for _, l := range r.Conns() {
		l.mu.Lock()
		all.Write(l.got)
		l.mu.Unlock()
	}
	return all.String()
}

func (r *Recorder) accept() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return
		}
		l := &RecordedConn{Conn: conn, Closed: make(chan struct{})}
		l.more = sync.NewCond(&l.mu)
		r.mu.Lock()
		r.conns = append(r.conns, l)
		r.mu.Unlock()
		go l.record()
		go r.serve(l)
	}
}

// record reads until the connection ends, independently of the answers, so that Closed
// is closed without delay.
func (l *RecordedConn) record() {
	buf := make([]byte, 64<<10)
	for {
		n, err := l.Read(buf)
		l.mu.Lock()
		l.got = append(l.got, buf[:n]...)
		l.end = err != nil
		l.more.Broadcast()
		l.mu.Unlock()
		if err != nil {
			close(l.Closed)
			return
		}
	}
}

func (r *Recorder) serve(l *RecordedConn) {
	for from := 0; ; {
		request := l.next(from)
		if request == "" {
			return
		}
		from += len(request)
		r.mu.Lock()
		r.requests = append(r.requests, request)
		answer := r.answer
		r.mu.Unlock()
		answer(&Exchange{l, request})
	}
}

// next waits for the complete request at offset from. It returns "" when the connection ends.
func (l *RecordedConn) next(from int) string {
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

// requestLength returns the length of the first request in b, or 0 if it is incomplete.
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

// Send writes text. A closed connection is no error: the test checks what the client got.
func (x *Exchange) Send(text string) { _, _ = x.Write([]byte(text)) }

// AnswerExposition answers every request with body as a text exposition.
func AnswerExposition(body string) func(*Exchange) {
	return AnswerRaw(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", TextFormat,
		len(body), body))
}

// AnswerRaw answers every request with the bytes of text.
func AnswerRaw(text string) func(*Exchange) { return func(x *Exchange) { x.Send(text) } }
