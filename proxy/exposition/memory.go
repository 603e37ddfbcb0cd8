package exposition

import (
	"bytes"
	"io"
)

// memoryBytes is how much labelled text of a body is kept for the next one, without its
// last chunk.
const memoryBytes = chunkBytes + chunkBytes/2

// memory is what a Reader keeps of a body, if that was complete and fitted into the
// input buffer: its families, each with what was made of it. From one scrape to the next
// most families do not change, and one that reads as it did before is answered
// as it was before: with the same labels what is made of a family depends on its bytes
// alone. Of one that differs no byte is taken over but those of lines that are the same
// up to their values, see revise.
type memory struct {
	body              // the one before
	expected int      // the family of it that should come next
	fresh    []mark   // of the body in hand
	rows     []row    // of the body in hand
	settings settings // of the body in hand
	whole    bool     // the body in hand is in the buffers from its beginning
}

// body is a complete body and what was made of it.
type body struct {
	in, out  []byte
	families []mark
	lines    []row // of the samples, as many as have a place
	with     settings
}

// mark is where a family begins, and what has passed before it.
type mark struct {
	in, out int
	rows    int // of the samples
	line    int64
	stats   Stats
}

// settings are what the answer depends on beside the body.
type settings struct {
	labels *Labels
	kind   kind
	limits Limits
}

// turn ends with the body in hand, which becomes the one before if it is fit for that,
// and begins with another.
func (r *Reader) turn(next settings) {
	m := &r.memory
	if m.whole && r.err == io.EOF && int64(r.end) == r.read {
		was := m.body
		m.body = body{r.in, r.out, m.fresh, m.rows, m.settings}
		r.in, r.out, m.fresh, m.rows = was.in, was.out, was.families, was.lines
	}
	m.fresh, m.rows, m.expected, m.settings, m.whole = m.fresh[:0], m.rows[:0], 0, next, true
	if m.with != next {
		m.expected = len(m.families)
	}
}

// recall looks for the family at i among those before. If it is there what was made of
// it, and of those that follow it again, is appended, behind the bytes from from on that
// have not been copied. It returns how far that goes, or i. In any case the place is marked.
func (r *Reader) recall(b []byte, i, from int) (next int) {
	m := &r.memory
	if !m.whole || i == len(b) {
		return i
	}
	m.fresh = append(m.fresh, mark{i, len(r.out) + i - from, len(m.rows), r.line, r.stats})
	k, same := m.find(b[i:])
	if k == none {
		return i
	}
	if !same {
		return r.revise(b, i, from, &m.families[k], &m.families[k+1])
	}
	start, here := &m.families[k], m.fresh[len(m.fresh)-1]
	for end := &m.families[k+1]; ; end = &m.families[m.expected] {
		next = i + end.in - start.in
		if m.expected+1 >= len(m.families) || here.out+end.out-start.out >= r.full || !bytes.HasPrefix(b[next:], m.family(m.expected)) {
			r.out = append(append(r.out, b[from:i]...), m.out[start.out:end.out]...)
			m.rows = append(m.rows, m.lines[start.rows:end.rows]...)
			moved := here.plus(start, end)
			r.line, r.stats = moved.line, moved.stats
			return next
		}
		m.fresh = append(m.fresh, here.plus(start, end))
		m.expected++
	}
}

// plus is k with what lies between start and end behind it.
func (k mark) plus(start, end *mark) mark {
	return mark{
		in: k.in + end.in - start.in, out: k.out + end.out - start.out, rows: k.rows + end.rows - start.rows,
		line:  k.line + end.line - start.line,
		stats: Stats{k.stats.Samples + end.stats.Samples - start.stats.Samples, k.stats.Conflicts + end.stats.Conflicts - start.stats.Conflicts},
	}
}

// memoryAhead is how many families may have vanished at one place.
const memoryAhead = 4

// find returns which of the families expected next b begins with, or none, and whether
// it is the same or has only the heading. The last of the body is none of them: nothing
// marks its end.
func (m *memory) find(b []byte) (k int, same bool) {
	k = m.expected
	if k+1 >= len(m.families) {
		return none, false
	}
	if bytes.HasPrefix(b, m.family(k)) {
		m.expected++
		return k, true
	}
	heading := m.heading(b)
	if len(heading) > 0 && bytes.HasPrefix(m.family(k), heading) {
		m.expected++
		return k, false
	}
	for last := min(k+memoryAhead, len(m.families)-2); k < last; {
		k++
		if family := m.family(k); bytes.Equal(heading, m.heading(family)) {
			m.expected = k + 1
			return k, bytes.HasPrefix(b, family)
		}
	}
	return none, false
}

// family is what the body before had of family k.
func (m *memory) family(k int) []byte {
	return m.in[m.families[k].in:m.families[k+1].in]
}

// heading is what tells the family that b begins with from others: its first line, or
// the name in its message.
func (m *memory) heading(b []byte) []byte {
	if m.settings.kind != kindProtobuf {
		return b[:bytes.IndexByte(b, '\n')+1]
	}
	_, i := uvarint(b, 0)
	if i+2 > len(b) || b[i] != familyName {
		return nil
	}
	return b[i:min(i+2+int(b[i+1]), len(b))]
}
