//go:build linux && !plain

package rawconn

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// yieldBytes is how much a connection moves without having to wait before it makes one
// system call through package net.
const yieldBytes = 512 << 10

// Wrap returns conn with non-blocking reads and writes, if conn is TCP.
//
// Package syscall tells the scheduler before and after each call that it may block. That
// wakes the monitor thread, which hands the processor to another thread when the call
// takes more than 20 µs. A socket of package net never blocks, and copying an answer takes
// about that long, so the hand-over is wasted and costs as much as the rest of a scrape.
// The poller of package net still does the waiting, with its deadlines.
//
// The monitor thread also preempts goroutines that run for long. A connection that moved
// yieldBytes without a wait makes its next call through package net, which wakes the
// monitor.
func Wrap(conn net.Conn) net.Conn {
	t, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return conn
	}
	c := &rawConn{Conn: t, raw: raw}
	c.reads.moved, c.writes.moved, c.request.moved = &c.moved, &c.moved, &c.moved
	c.reads.attempt, c.writes.attempt, c.request.attempt = c.reads.read, c.writes.write, c.request.step
	return c
}

// rawConn is a TCP connection. One goroutine reads at a time, one writes.
type rawConn struct {
	net.Conn
	raw           syscall.RawConn
	reads, writes ioOp
	request       probedWrite
	moved         atomic.Int64 // bytes since an operation last had to wait
}

// Read implements net.Conn.
func (c *rawConn) Read(p []byte) (int, error) {
	o := &c.reads
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(p) == 0 || o.shouldYield() {
		return c.Conn.Read(p)
	}
	o.begin(p)
	err := c.end(o, "read", c.raw.Read(o.attempt))
	if o.n == 0 && err == nil {
		err = io.EOF
	}
	return o.n, err
}

// Write implements net.Conn.
func (c *rawConn) Write(p []byte) (int, error) {
	o := &c.writes
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(p) == 0 || o.shouldYield() {
		return c.Conn.Write(p)
	}
	o.begin(p)
	err := c.end(o, "write", c.raw.Write(o.attempt))
	return o.n, err
}

// end drops the caller's buffer, and returns the error that package net would return.
// polled is the poller's error.
func (c *rawConn) end(o *ioOp, name string, polled error) error {
	o.p = nil
	o.moved.Add(int64(o.n))
	if op, ok := polled.(*net.OpError); ok {
		polled = op.Err
	}
	if polled == nil && o.err != 0 {
		polled = os.NewSyscallError(name, o.err)
	}
	if polled == nil {
		return nil
	}
	return &net.OpError{Op: name, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: polled}
}

// ioOp is a read or write in progress.
type ioOp struct {
	mu      sync.Mutex
	p       []byte // still to be moved
	n       int    // moved
	err     syscall.Errno
	moved   *atomic.Int64
	attempt func(fd uintptr) (done bool)
}

// shouldYield reports whether the next call must go through package net.
func (o *ioOp) shouldYield() bool {
	if o.moved.Load() < yieldBytes {
		return false
	}
	o.moved.Store(0)
	return true
}

func (o *ioOp) begin(p []byte) { o.p, o.n, o.err = p, 0, 0 }

func (o *ioOp) read(fd uintptr) (done bool) {
	n, again := o.call(rawRead, fd)
	o.n = n
	return !again
}

func (o *ioOp) write(fd uintptr) (done bool) {
	for len(o.p) > 0 && o.err == 0 {
		n, again := o.call(rawWrite, fd)
		if again {
			return false
		}
		o.n += n
		o.p = o.p[n:]
	}
	return true
}

// call makes a system call. It reports whether the call must be repeated when the poller
// says that the socket is ready.
func (o *ioOp) call(do func(fd uintptr, p []byte) (int, syscall.Errno), fd uintptr) (n int, again bool) {
	for {
		n, err := do(fd, o.p)
		switch err {
		case 0:
			return n, false
		case syscall.EINTR:
		case syscall.EAGAIN:
			o.moved.Store(0)
			return 0, true
		default:
			o.err = err
			return 0, false
		}
	}
}

// probedWrite is a write that a read precedes: the read must find nothing.
type probedWrite struct {
	ioOp
	out   []byte
	idle  bool
	probe [1]byte
}

// writeIfIdle probes, writes, and waits for the answer in one operation of the poller. The
// poller reports what comes after the probe, so the answer's first read finds something.
func (c *rawConn) writeIfIdle(p []byte) error {
	o := &c.request
	o.mu.Lock()
	defer o.mu.Unlock()
	o.begin(o.probe[:])
	o.out, o.idle = p, false
	polled := c.raw.Read(o.attempt)
	o.out = nil
	switch {
	case polled == nil && !o.idle:
		return ErrNotIdle
	case polled == nil && o.err == 0 && o.n < len(p):
		_, err := c.Write(p[o.n:])
		return err
	}
	name := "read"
	if o.err != 0 {
		name = "write"
	}
	return c.end(&o.ioOp, name, polled)
}

// step is called once, and again when there is something to read.
func (o *probedWrite) step(fd uintptr) (done bool) {
	if o.idle {
		return true
	}
	if _, o.idle = o.call(rawRead, fd); !o.idle {
		return true
	}
	o.p = o.out
	o.n, _ = o.call(rawWrite, fd)
	return o.n < len(o.out)
}
