package server

import (
	"errors"
	"net"
	"sync"
)

// mergedListener accepts from several listeners as one.
type mergedListener struct {
	list     []net.Listener
	accepted chan accepted
	closed   chan struct{}
	once     sync.Once
}

// accepted is what one of the listeners returned.
type accepted struct {
	conn net.Conn
	err  error
}

// mergeListeners is list as one listener; a single one is returned as it is.
func mergeListeners(list []net.Listener) net.Listener {
	if len(list) == 1 {
		return list[0]
	}
	l := &mergedListener{list: list, accepted: make(chan accepted), closed: make(chan struct{})}
	for _, one := range list {
		go l.run(one)
	}
	return l
}

// run passes on what one accepts, until it is closed.
func (l *mergedListener) run(one net.Listener) {
	for {
		conn, err := one.Accept()
		select {
		case l.accepted <- accepted{conn, err}:
		case <-l.closed:
			if err == nil {
				_ = conn.Close()
			}
			return
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

// Accept implements net.Listener.
func (l *mergedListener) Accept() (net.Conn, error) {
	select {
	case a := <-l.accepted:
		return a.conn, a.err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close closes all listeners. A second Close returns net.ErrClosed, as that of one does.
func (l *mergedListener) Close() error {
	err := net.ErrClosed
	l.once.Do(func() {
		close(l.closed)
		err = nil
		for _, one := range l.list {
			err = errors.Join(err, one.Close())
		}
	})
	return err
}

// Addr is the address of the first listener.
func (l *mergedListener) Addr() net.Addr { return l.list[0].Addr() }
