package scrape

import (
	"errors"
	"io"
	"slices"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/exposition"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// patience is how long, in all, a member may make others wait for the window to
// move on.
const patience = time.Second

// pump reads the labelled answer to its end or, if it is held, until there is too
// much of it.
func (f *flight) pump() error {
	for {
		c, end := f.fill()
		if end != nil && end != io.EOF {
			f.drop(c)
			return end
		}
		if f.stream {
			if err := f.emit(c); err != nil {
				return err
			}
		} else {
			f.held = append(f.held, c)
		}
		switch {
		case end != nil:
			return nil
		case !f.stream && len(f.held) > smallChunks:
			f.stream = true
			return nil
		}
	}
}

// fill reads a chunk. Only the last one of an answer is not full.
func (f *flight) fill() (*chunk, error) {
	c := f.metrics.supplies.chunk()
	for !c.full() {
		n, err := f.reader.Read(c.room[len(c.data):])
		c.data = c.room[:len(c.data)+n]
		if err != nil {
			return c, readError(err)
		}
	}
	return c, nil
}

// readError gives an error of the exposition its reason. Errors of the source have one.
func readError(err error) error {
	var known *upstream.Error
	var syntax *exposition.SyntaxError
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &syntax):
		return &upstream.Error{Reason: upstream.ReasonSyntax, Err: err}
	case errors.Is(err, exposition.ErrTooLong):
		return &upstream.Error{Reason: upstream.ReasonTooLong, Err: err}
	case errors.Is(err, exposition.ErrTooLarge):
		return &upstream.Error{Reason: upstream.ReasonTooLarge, Err: err}
	case errors.Is(err, exposition.ErrEmpty):
		return &upstream.Error{Reason: upstream.ReasonEmpty, Err: err}
	case errors.Is(err, exposition.ErrTruncated):
		return &upstream.Error{Reason: upstream.ReasonTruncated, Err: err}
	}
	return err
}

// open begins to stream: nobody can join any more, and what was held goes out.
func (f *flight) open() error {
	f.metrics.group.remove(f)
	f.mu.Lock()
	for e := range f.tracks {
		f.tracks[e].phase = phaseStreaming
		f.tracks[e].wake()
	}
	f.mu.Unlock()
	return f.emitHeld()
}

// emitHeld emits all that is held, even when that fails.
func (f *flight) emitHeld() error {
	f.outfit()
	var first error
	for _, c := range f.held {
		if first != nil {
			f.drop(c)
			continue
		}
		first = f.emit(c)
	}
	f.held = nil
	return first
}

// outfit makes an outlet for each encoding that has members. None can be added
// when this is called.
func (f *flight) outfit() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range [...]encoding{encodingZstd, encodingGzip} {
		if len(f.tracks[e].members) > 0 {
			f.outlets[e] = newOutlet(f, e)
		}
	}
}

// emit puts c, of which it takes the reference, on all tracks that have members.
func (f *flight) emit(c *chunk) error {
	defer f.drop(c)
	if len(c.data) == 0 {
		return nil
	}
	if err := f.push(&f.tracks[encodingIdentity], c); err != nil {
		return err
	}
	for _, o := range f.outlets {
		if o == nil {
			continue
		}
		if _, err := o.compressor.Write(c.data); err != nil {
			return err
		}
	}
	return nil
}

// drop gives up a reference to c.
func (f *flight) drop(c *chunk) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c.unref(f.metrics.supplies)
}

// push adds c to t, when t has members and the window has room. It fails when
// nobody is left.
func (f *flight) push(t *track, c *chunk) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for t.phase == phaseStreaming && len(t.chunks) >= window && len(t.members) > 0 {
		f.await(t)
	}
	if f.count == 0 {
		return upstream.ErrCanceled
	}
	if len(t.members) > 0 {
		c.refs++
		t.add(c)
		t.wake()
	}
	return nil
}

// await waits, without the mutex, for a member to get on or leave. Members that
// hold up the window of t while others have nothing left to write pay for the time, and
// are cut when they have used up their patience.
func (f *flight) await(t *track) {
	var holders []*member
	most := time.Duration(0)
	for _, m := range t.members {
		if m.next == t.base {
			holders = append(holders, m)
			most = max(most, m.waited)
		}
	}
	starving, begin := f.starving(), time.Now()
	f.mu.Unlock()
	timer := time.NewTimer(patience - most)
	select {
	case <-f.room:
	case <-timer.C:
	}
	timer.Stop()
	f.mu.Lock()
	if !starving {
		return
	}
	for _, m := range holders {
		if !slices.Contains(t.members, m) {
			continue // left, and maybe in use again
		}
		if m.waited += time.Since(begin); m.waited >= patience {
			f.cutOff(t, m)
		}
	}
}

// starving reports whether some member has written all there is.
func (f *flight) starving() bool {
	for e := range f.tracks {
		for _, m := range f.tracks[e].members {
			if m.next == f.tracks[e].end() {
				return true
			}
		}
	}
	return false
}

// cutOff removes a member that others cannot wait for, and ends its write.
func (f *flight) cutOff(t *track, m *member) {
	t.remove(m)
	f.count--
	m.cut = true
	m.expire()
	m.wake()
	t.trim(f.metrics.supplies)
}

// finish hands out the end of the answer, or its failure.
func (f *flight) finish(err error) {
	f.metrics.group.remove(f)
	if err == nil && !f.stream {
		err = f.emitHeld()
	}
	for e, o := range f.outlets {
		if o != nil {
			err = o.close(err)
			f.outlets[e] = nil
		}
	}
	for _, c := range f.held {
		f.drop(c)
	}
	f.held = nil
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
	for e := range f.tracks {
		f.tracks[e].finish(err, f.metrics.supplies)
	}
}
