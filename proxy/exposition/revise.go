package exposition

import (
	"bytes"
	"math/bits"
	"sort"
)

// memoryRows is of how many samples of a body the places are kept for the next one.
const memoryRows = 1024

// row is where a sample has its value.
type row struct {
	value, next int32 // in the body: behind the blank, and behind the newline; the same if no other value will do
	out         int32 // what value is in what was made of the body
	conflicts   int32
}

// end is where the line ends in what was made of the body.
func (w *row) end() int { return int(w.out + w.next - w.value) }

// shifted is w behind so many bytes more.
func (w row) shifted(in, out int) row {
	return row{w.value + int32(in), w.next + int32(in), w.out + int32(out), w.conflicts}
}

// resized is a sample whose value is longer or shorter than it was in the body before.
type resized struct {
	row         int32 // of the body before
	value, next int32 // in the body in hand
}

// reach is how far two bodies agree: up to the end of a sample, or the beginning of a family.
type reach struct {
	in, out int // in the body before, and in what was made of it
	row     int // of the body before: the first behind that
	family  int // that has begun last
	next    int // in the body in hand
}

// note keeps w, which stands in a family.
func (m *memory) note(w row) {
	if len(m.fresh) > 0 {
		m.keep(w)
	}
}

// keep keeps w, if there is room.
func (m *memory) keep(w row) {
	if m.gap = m.gap || len(m.rows) == memoryRows; !m.gap {
		m.rows = append(m.rows, w)
	}
}

// agree goes along the body before, from its family k on, and b from i on, until they differ in
// anything but the values of samples, or what was made of the one before has more than most
// bytes. A value of the same length takes the place of the one before at once, in both the
// body and what was made of it. Those of another length are remembered.
func (r *Reader) agree(b []byte, i, k, most int) reach {
	m, last := &r.memory, len(r.memory.families)-1
	if m.families[last].out > most {
		last = k + sort.Search(last-k, func(n int) bool { return m.families[k+n+1].out > most })
	}
	first, end := &m.families[k], m.families[last].in
	rows := m.lines[:m.families[last].rows]
	m.resized = m.resized[:0]
	x, n := first.in, first.rows
	for {
		same := differ(b[i:], m.in[x:end])
		x, i = x+same, i+same
		for n < len(rows) && int(rows[n].next) <= x {
			n++
		}
		if x == end || n == len(rows) || x < int(rows[n].value) {
			break
		}
		w := &rows[n]
		value := i - (x - int(w.value))
		next := shortValue(b, value-1)
		if next == 0 {
			next = plainValue(b, value-1, r.text.scan.openMetrics)
		}
		if next == 0 || m.line(n)+next-value > r.text.longest {
			break
		}
		if next-value == int(w.next-w.value) {
			copy(m.in[w.value:], b[value:next])
			copy(m.out[w.out:], b[value:next])
		} else {
			m.resized = append(m.resized, resized{int32(n), int32(value), int32(next)})
		}
		x, i, n = int(w.next), next, n+1
	}
	to := m.boundary(k, x, n)
	to.next = i - (x - to.in)
	return to
}

// line returns how long the line of sample n is up to its value, with all comments before it.
func (m *memory) line(n int) int {
	if n == 0 {
		return int(m.lines[0].value)
	}
	return int(m.lines[n].value - m.lines[n-1].next)
}

// boundary returns the end of the last whole sample, or the beginning of a family behind it, up
// to x, where row is next. Family k or one behind it has begun.
func (m *memory) boundary(k, x, row int) reach {
	for k < len(m.families)-1 && m.families[k+1].in <= x {
		k++
	}
	f := &m.families[k]
	if row == f.rows {
		return reach{in: f.in, out: f.out, row: row, family: k}
	}
	w := &m.lines[row-1]
	return reach{in: int(w.next), out: w.end(), row: row, family: k}
}

// adopt takes over what was made of the body before, from its family k on, as far as it agrees
// with b.
func (r *Reader) adopt(b []byte, k int, to reach) {
	m := &r.memory
	start, here, f := &m.families[k], m.fresh[len(m.fresh)-1], &m.families[to.family]
	row := start.rows
	end := here.plus(start, f)
	for _, w := range m.lines[f.rows:to.row] {
		end.stats.Samples++
		end.stats.Conflicts += int64(w.conflicts)
	}
	r.line, r.stats = end.line+int64(bytes.Count(m.in[f.in:to.in], []byte{'\n'})), end.stats
	if to.in > f.in {
		to.family++ // it is over, or goes on differently
	}
	m.expected = to.family
	if here == (mark{}) && *start == here && to.family == len(m.families)-1 && len(m.resized) == 0 {
		// All is in its place, and stays there: the body before is gone.
		r.out, m.out = m.out[:to.out], r.out
		m.rows, m.lines = m.lines[:to.row], m.rows
		m.fresh, m.families = m.families[:to.family], m.fresh
	} else {
		r.splice(b, k, to)
	}
	m.gap = m.gap || r.stats.Samples-here.stats.Samples > int64(to.row-row)
}

// splice appends what was made of the body before, from its family k on up to to, with the
// values of another length that b has, and notes where all that stands now.
func (r *Reader) splice(b []byte, k int, to reach) {
	m := &r.memory
	start, here := m.families[k], m.fresh[len(m.fresh)-1]
	n, done := start.rows, start.out
	for v := 0; ; v++ {
		row := to.row
		if v < len(m.resized) {
			row = int(m.resized[v].row)
		}
		for ; k+1 < to.family && m.families[k+1].rows <= row; k++ {
			m.carry(m.lines[n:m.families[k+1].rows], here.in-start.in, here.out-start.out)
			n = m.families[k+1].rows
			next := here.plus(&start, &m.families[k+1])
			next.rows = len(m.rows)
			m.fresh = append(m.fresh, next)
		}
		m.carry(m.lines[n:row], here.in-start.in, here.out-start.out)
		if v == len(m.resized) {
			r.out = append(r.out, m.out[done:to.out]...)
			return
		}
		was, value := &m.lines[row], b[m.resized[v].value:m.resized[v].next]
		w, grown := was.shifted(here.in-start.in, here.out-start.out), len(value)-int(was.next-was.value)
		w.next += int32(grown)
		m.keep(w)
		r.out = append(append(r.out, m.out[done:was.out]...), value...)
		n, done = row+1, was.end()
		here.in, here.out = here.in+grown, here.out+grown
	}
}

// carry keeps rows of the body before, behind so many bytes more.
func (m *memory) carry(rows []row, in, out int) {
	for _, w := range rows {
		m.keep(w.shifted(in, out))
	}
}

// differ returns how many bytes a and b have in common at the beginning.
func differ(a, b []byte) int {
	n := min(len(a), len(b))
	a, b = a[:n], b[:n]
	i := 0
	for ; i+32 <= n; i += 32 {
		x, y := a[i:i+32:i+32], b[i:i+32:i+32]
		if (word(x, 0)^word(y, 0))|(word(x, 8)^word(y, 8))|(word(x, 16)^word(y, 16))|(word(x, 24)^word(y, 24)) != 0 {
			break
		}
	}
	for ; i+8 <= n; i += 8 {
		if d := word(a, i) ^ word(b, i); d != 0 {
			return i + bits.TrailingZeros64(d)/8
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}
