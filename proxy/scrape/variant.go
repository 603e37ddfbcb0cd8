package scrape

// phase is how far an answer has come.
type phase uint8

const (
	phaseOpen      phase = iota // nothing is known yet
	phaseComplete               // all of it is there: 200 with its length
	phaseStreaming              // too large to wait for its end: 200, the rest follows
	phaseFailed
)

// track is an answer in one encoding: the window of chunks that not all of its
// members have written yet. Guarded by the flight's mutex.
type track struct {
	members []*member
	chunks  []*chunk
	one     struct { // of each there is seldom more than one
		member [1]*member
		chunk  [1]*chunk
	}
	base  int   // sequence number of chunks[0]
	size  int64 // bytes, when complete
	phase phase
	ended bool // no chunk follows
}

// end is the sequence number after the last chunk.
func (t *track) end() int { return t.base + len(t.chunks) }

// trim drops the chunks that all members are through with.
func (t *track) trim(s *supplies) {
	low := t.end()
	for _, m := range t.members {
		low = min(low, m.next)
	}
	n := low - t.base
	for _, c := range t.chunks[:n] {
		c.unref(s)
	}
	left := copy(t.chunks, t.chunks[n:])
	clear(t.chunks[left:])
	t.chunks, t.base = t.chunks[:left], low
}

// unref gives c back to s when it was the last reference.
func (c *chunk) unref(s *supplies) {
	if c.refs--; c.refs == 0 {
		s.done(c)
	}
}

// add appends c, which has a reference for the track.
func (t *track) add(c *chunk) {
	if t.chunks == nil {
		t.chunks = t.one.chunk[:0]
	}
	t.chunks = append(t.chunks, c)
	t.size += int64(len(c.data))
}

// wake wakes all members.
func (t *track) wake() {
	for _, m := range t.members {
		m.wake()
	}
}

// remove takes m off the list.
func (t *track) remove(m *member) bool {
	for i, other := range t.members {
		if other == m {
			t.members[i] = t.members[len(t.members)-1]
			t.members[len(t.members)-1] = nil
			t.members = t.members[:len(t.members)-1]
			return true
		}
	}
	return false
}

// finish marks the end of t, and wakes its members. A failed one holds nothing
// any more.
func (t *track) finish(err error, s *supplies) {
	t.ended = true
	switch {
	case err != nil:
		t.phase = phaseFailed
		for _, c := range t.chunks {
			c.unref(s)
		}
		t.chunks = nil
	case t.phase == phaseOpen:
		t.phase = phaseComplete
	}
	t.wake()
}
