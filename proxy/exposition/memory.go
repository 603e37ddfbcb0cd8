package exposition

import (
	"bytes"
	"io"
)

// memoryBytes is how much labelled text of a body is kept for the next one, without its
// last chunk.
const memoryBytes = chunkBytes + chunkBytes/2

// memory is what a Reader keeps of a body, if that was complete and fitted into the input
// buffer, with what was made of it. From one scrape to the next most of a body does not change
// but for the values of some samples, and what reads as it did before is answered as it was
// before: with the same labels what is made of a sample but its value depends on what stands
// before that on its line, and nothing else. See agree.
//
// At any time out is what a new Reader would make of the first length bytes of in, or there
// are less than two families and nobody looks. In each family rows are those of its first
// samples, without a gap.
type memory struct {
	body               // the one before
	expected int       // the family of it that should come next
	resized  []resized // what the body in hand has otherwise, of what is being taken over
	fresh    []mark    // families of the body in hand
	rows     []row     // of the body in hand
	gap      bool      // a sample has no row, and none behind it gets one
	settings settings  // of the body in hand
	whole    bool      // the body in hand is in the buffers from its beginning
}

// body is a complete body and what was made of it.
type body struct {
	in, out  []byte
	length   int    // of the body, in in
	families []mark // and one where the last of them ends
	lines    []row
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
		m.body = body{r.in, r.out, r.end, append(m.fresh, r.over()), m.rows, m.settings}
		r.in, r.out, m.fresh, m.rows = was.in, was.out, was.families, was.lines
	}
	m.fresh, m.rows, m.gap, m.expected, m.settings, m.whole = m.fresh[:0], m.rows[:0], false, 0, next, true
	if m.with != next {
		m.expected = len(m.families)
	}
}

// over marks where the last family of the body in hand ends, which is complete. The line that
// ends OpenMetrics is none of it: it has to be seen each time.
func (r *Reader) over() mark {
	k := mark{r.end, len(r.out), len(r.memory.rows), r.line, r.stats}
	if r.kind == kindOpenMetrics {
		n := len(eof)
		if r.in[r.end-1] == '\n' {
			n++
			k.line--
		}
		k.in, k.out = k.in-n, k.out-n
	}
	return k
}

// recall looks for the family at i among those before. If it is there what was made of
// it is appended, and of what follows on it again, as far as only values differ, behind the
// bytes from from on that have not been copied. It returns how far that goes, or i.
func (r *Reader) recall(b []byte, i, from int) (next int) {
	m := &r.memory
	if !m.whole || i == len(b) {
		return i
	}
	here := mark{i, len(r.out) + i - from, len(m.rows), r.line, r.stats}
	m.fresh = append(m.fresh, here)
	k := m.find(b[i:])
	if k == none {
		return i
	}
	to := r.agree(b, i, k, m.families[k].out+r.full-here.out)
	if to.next > i {
		r.out = append(r.out, b[from:i]...)
		r.adopt(b, k, to)
	}
	return to.next
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

// find returns which of the families expected next b begins with, by its heading, or none.
func (m *memory) find(b []byte) int {
	heading := m.heading(b)
	for k := m.expected; k <= m.expected+memoryAhead && k+1 < len(m.families); k++ {
		if len(heading) > 0 && bytes.Equal(heading, m.heading(m.family(k))) {
			m.expected = k + 1
			return k
		}
	}
	return none
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
