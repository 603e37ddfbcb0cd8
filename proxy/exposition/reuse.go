package exposition

import (
	"bytes"
	"io"
)

// holder is what a source may be that has bytes in memory. AtHand returns all that is left,
// if that is no more than most bytes and needs no waiting; then it has been read. Otherwise
// nothing has happened. See NewReader.
type holder interface {
	AtHand(most int) (p []byte, ok bool)
}

// reuse answers with what was made of the body before, if the source has all of this one at
// hand, and that is the same but for values as long as before. Then nothing is copied.
// Otherwise what the source had at hand is in the input buffer, and what could be taken over
// has been.
func (r *Reader) reuse() bool {
	src, ok := r.src.(holder)
	if !ok || r.read > 0 || r.srcErr != nil {
		return false
	}
	b, ok := src.AtHand(chunkBytes)
	if !ok {
		return false
	}
	r.read, r.srcErr = int64(len(b)), io.EOF
	if r.read > r.limits.Bytes {
		r.srcErr = ErrTooLarge
	}
	to := r.compare(b)
	if r.stay(b, to) {
		return true
	}
	if size := max(chunkBytes, len(b)) + slackBytes; len(r.in) < size {
		r.in = make([]byte, size)
	}
	r.end = copy(r.in, b)
	if to.next > 0 && to.out <= memoryBytes { // recall keeps to chunks
		r.memory.fresh = append(r.memory.fresh, mark{})
		r.adopt(r.in[:r.end], 0, to)
		r.pos = to.next
	}
	return false
}

// compare returns how far b agrees with the body before, if a family is the first thing in
// both.
func (r *Reader) compare(b []byte) (to reach) {
	m := &r.memory
	if m.with == m.settings && len(m.families) > 1 && m.families[0] == (mark{}) {
		to = r.agree(b, 0, 0, len(m.out))
	}
	return to
}

// stay makes the body before the one in hand, if b is the same to the end. It is as long
// then, so that it is not too large either.
func (r *Reader) stay(b []byte, to reach) bool {
	m := &r.memory
	if last := len(m.families) - 1; to.next == 0 || to.family < last || len(m.resized) > 0 || !bytes.Equal(b[to.next:], m.in[to.in:m.length]) {
		return false
	}
	end := m.families[to.family]
	r.line, r.stats = end.line+int64(bytes.Count(b[to.next:], []byte{'\n'})), end.stats
	r.in, r.out, m.in, m.out = m.in, m.out, r.in, r.out
	r.pos, r.end = m.length, m.length
	m.rows, m.lines = m.lines, m.rows
	m.fresh, m.families = m.families[:to.family], m.fresh // nobody looks for less than two
	return true
}
