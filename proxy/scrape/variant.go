package scrape

import (
	"slices"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// phase is the state of a variant.
type phase uint8

const (
	phaseOpen      phase = iota // undecided
	phaseComplete               // all of it is there: 200 with Content-Length
	phaseStreaming              // too large to wait for its end: 200, the rest follows
	phaseFailed
)

// variant is an answer in one encoding: a window of chunks. A chunk stays in it until each
// waiter of the variant has written it. The flight's mutex guards it.
type variant struct {
	waiters []*waiter
	chunks  []*chunk
	one     struct { // backing arrays for one of each, the usual case
		waiter [1]*waiter
		chunk  [1]*chunk
	}
	base  int   // sequence number of chunks[0]
	size  int64 // bytes, when complete
	phase phase
	ended bool // no chunk follows
}

// end is the sequence number after the last chunk.
func (v *variant) end() int { return v.base + len(v.chunks) }

// trim drops the chunks that all waiters have written.
func (v *variant) trim(b *buffers) {
	low := v.end()
	for _, wt := range v.waiters {
		low = min(low, wt.next)
	}
	n := low - v.base
	for _, c := range v.chunks[:n] {
		c.unref(b)
	}
	left := copy(v.chunks, v.chunks[n:])
	clear(v.chunks[left:])
	v.chunks, v.base = v.chunks[:left], low
}

// unref drops a reference, and returns c to b with the last one.
func (c *chunk) unref(b *buffers) {
	if c.refs--; c.refs == 0 {
		b.put(c)
	}
}

// add appends c, which has a reference for v.
func (v *variant) add(c *chunk) {
	if v.chunks == nil {
		v.chunks = v.one.chunk[:0]
	}
	v.chunks = append(v.chunks, c)
	v.size += int64(len(c.data))
}

// wake wakes all waiters.
func (v *variant) wake() {
	for _, wt := range v.waiters {
		wt.wake()
	}
}

// remove removes wt from the list, and reports whether it was in it.
func (v *variant) remove(wt *waiter) bool {
	for i, other := range v.waiters {
		if other == wt {
			v.waiters[i] = v.waiters[len(v.waiters)-1]
			v.waiters[len(v.waiters)-1] = nil
			v.waiters = v.waiters[:len(v.waiters)-1]
			return true
		}
	}
	return false
}

// finish marks the end of v, or its failure, and wakes the waiters. A failed variant drops
// its chunks.
func (v *variant) finish(err error, b *buffers) {
	v.ended = true
	switch {
	case err != nil:
		v.phase = phaseFailed
		for _, c := range v.chunks {
			c.unref(b)
		}
		v.chunks = nil
	case v.phase == phaseOpen:
		v.phase = phaseComplete
	}
	v.wake()
}

// slowReaderBudget is how long, in total, a waiter may delay others by holding up the window.
const slowReaderBudget = time.Second

// publishTo adds c to v when the window has room, if v has waiters. It fails when the flight
// has none.
func (f *flight) publishTo(v *variant, c *chunk) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for v.phase == phaseStreaming && len(v.chunks) >= window && len(v.waiters) > 0 {
		f.awaitRoom(v)
	}
	if f.count == 0 {
		return upstream.ErrCanceled
	}
	if len(v.waiters) > 0 {
		c.refs++
		v.add(c)
		v.wake()
	}
	return nil
}

// awaitRoom waits, without the mutex, until a waiter releases a chunk or leaves. While
// another waiter has nothing left to write, the time counts against the waiters that hold
// up the window of v. One that has used up its budget is disconnected.
func (f *flight) awaitRoom(v *variant) {
	var holders []*waiter
	most := time.Duration(0)
	for _, wt := range v.waiters {
		if wt.next == v.base {
			holders = append(holders, wt)
			most = max(most, wt.delayed)
		}
	}
	othersIdle, begin := f.hasIdleReader(), time.Now()
	f.mu.Unlock()
	timer := time.NewTimer(slowReaderBudget - most)
	select {
	case <-f.room:
	case <-timer.C:
	}
	timer.Stop()
	f.mu.Lock()
	if !othersIdle {
		return
	}
	for _, wt := range holders {
		if !slices.Contains(v.waiters, wt) {
			continue // left; the waiter may be in use again
		}
		if wt.delayed += time.Since(begin); wt.delayed >= slowReaderBudget {
			f.disconnect(v, wt)
		}
	}
}

// hasIdleReader reports whether a waiter has written all there is.
func (f *flight) hasIdleReader() bool {
	for e := range f.variants {
		for _, wt := range f.variants[e].waiters {
			if wt.next == f.variants[e].end() {
				return true
			}
		}
	}
	return false
}

// disconnect removes a waiter that delays others, and ends its write.
func (f *flight) disconnect(v *variant, wt *waiter) {
	v.remove(wt)
	f.count--
	wt.disconnected = true
	wt.cancelWrites()
	wt.wake()
	v.trim(f.handler.buffers)
}
