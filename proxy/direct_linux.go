//go:build linux && !race

package proxy

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// wakeBytes is how much a connection moves without having to wait before it makes a
// system call the usual way.
const wakeBytes = 512 << 10

// direct returns conn with reads and writes that do without what the runtime does
// around system calls that may block, if conn is TCP.
//
// It wakes the monitor thread, which, when the call takes more than 20 µs, gives the
// processor to another thread. A socket of package net never blocks, and to copy an
// answer takes about that long, so all this is in vain and costs as much as the rest of
// a scrape. Waiting is left to the poller of package net, with its deadlines.
//
// The monitor also preempts goroutines that run for long. It is woken by a call made
// the usual way, after wakeBytes without a wait, so that it is awake when a connection
// keeps a goroutine busy.
func direct(conn net.Conn) net.Conn {
	t, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return conn
	}
	c := &directConn{Conn: t, raw: raw}
	c.reads.moved, c.writes.moved = &c.moved, &c.moved
	c.reads.attempt, c.writes.attempt = c.reads.read, c.writes.write
	return c
}

// directConn is a TCP connection.
type directConn struct {
	net.Conn
	raw           syscall.RawConn
	reads, writes move
	moved         atomic.Int64 // bytes, since one of them last had to wait
}

// Read implements net.Conn.
func (c *directConn) Read(p []byte) (int, error) {
	m := &c.reads
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(p) == 0 || m.overdue() {
		return c.Conn.Read(p)
	}
	m.begin(p)
	err := c.end(m, "read", c.raw.Read(m.attempt))
	if m.n == 0 && err == nil {
		err = io.EOF
	}
	return m.n, err
}

// Write implements net.Conn.
func (c *directConn) Write(p []byte) (int, error) {
	m := &c.writes
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(p) == 0 || m.overdue() {
		return c.Conn.Write(p)
	}
	m.begin(p)
	err := c.end(m, "write", c.raw.Write(m.attempt))
	return m.n, err
}

// end gives m's buffer back to the caller, and returns the error as package net would,
// when that of the poller is err.
func (c *directConn) end(m *move, op string, err error) error {
	m.p = nil
	m.moved.Add(int64(m.n))
	if polled, ok := err.(*net.OpError); ok {
		err = polled.Err
	}
	if err == nil && m.err != 0 {
		err = os.NewSyscallError(op, m.err)
	}
	if err == nil {
		return nil
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// move is a read or write that goes on.
type move struct {
	mu      sync.Mutex
	p       []byte // still to be moved
	n       int    // moved
	err     syscall.Errno
	moved   *atomic.Int64
	attempt func(fd uintptr) (done bool)
}

// overdue reports whether it is time for the usual way.
func (m *move) overdue() bool {
	if m.moved.Load() < wakeBytes {
		return false
	}
	m.moved.Store(0)
	return true
}

func (m *move) begin(p []byte) { m.p, m.n, m.err = p, 0, 0 }

func (m *move) read(fd uintptr) bool {
	n, again := m.call(syscall.SYS_READ, fd)
	m.n = n
	return !again
}

func (m *move) write(fd uintptr) bool {
	for len(m.p) > 0 && m.err == 0 {
		n, again := m.call(syscall.SYS_WRITE, fd)
		if again {
			return false
		}
		m.n += n
		m.p = m.p[n:]
	}
	return true
}

// call makes the system call, and reports whether it must be made again when the
// poller says so.
func (m *move) call(number, fd uintptr) (n int, again bool) {
	for {
		n, _, err := syscall.RawSyscall(number, fd, uintptr(unsafe.Pointer(unsafe.SliceData(m.p))), uintptr(len(m.p)))
		switch err {
		case 0:
			return int(n), false
		case syscall.EINTR:
		case syscall.EAGAIN:
			m.moved.Store(0)
			return 0, true
		default:
			m.err = err
			return 0, false
		}
	}
}
