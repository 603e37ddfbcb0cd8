package exposition

import "bytes"

// memoryRows is of how many samples of a body the places are kept for the next one.
const memoryRows = 1024

// row is where a sample of a family has its value, from the beginning of the family.
type row struct {
	value, next int32 // in the body: behind the blank, and behind the newline; the same if no other value will do
	out         int32 // what value is in what was made of the family
	conflicts   int32
}

// note keeps the place of the sample whose value begins at value, and whose line ends
// before next. What has been made of the body up to there has out bytes.
func (m *memory) note(value, next, out, conflicts int) {
	if n := len(m.fresh); n > 0 && len(m.rows) < memoryRows {
		f := &m.fresh[n-1]
		m.rows = append(m.rows, row{int32(value - f.in), int32(next - f.in), int32(out - f.out), int32(conflicts)})
	}
}

// revise takes over from the family of the body before, between the marks first and last, what
// is the same in that at i but for the values of samples. It returns how far that goes.
func (r *Reader) revise(b []byte, i, from int, first, last *mark) (next int) {
	m := &r.memory
	rows := m.lines[first.rows:last.rows]
	if len(rows) == 0 || int64(len(rows)) != last.stats.Samples-first.stats.Samples {
		return i
	}
	in, made, out := m.in[first.in:last.in], m.out[first.out:last.out], append(r.out, b[from:i]...)
	longest, openMetrics := r.text.longest, r.text.scan.openMetrics
	n, x, done, same := 0, 0, 0, true
	for next = i; n < len(rows); n++ {
		w := &rows[n]
		value := next + int(w.value) - x
		if value > len(b) || string(b[next:value]) != string(in[x:w.value]) {
			break
		}
		after := value
		if w.value < w.next {
			if after = shortValue(b, value-1); after == 0 {
				after = plainValue(b, value-1, openMetrics)
			}
			if after == 0 || after-next > longest {
				break
			}
		}
		if same && after-value != int(w.next-w.value) {
			out, done, same = m.refill(out, made[:end(rows[:n])], b[i:], rows[:n]), end(rows[:n]), false
		}
		if !same {
			m.note(value, after, len(out)+int(w.out)-done, int(w.conflicts))
			out = append(append(out, made[done:w.out]...), b[value:after]...)
			done = int(w.out + w.next - w.value)
		}
		r.stats.Conflicts += int64(w.conflicts)
		next, x = after, int(w.next)
	}
	if n == 0 {
		return i
	}
	until, lines := end(rows[:n]), 0
	if n == len(rows) && bytes.HasPrefix(b[next:], in[x:]) {
		next, until, lines = next+len(in)-x, len(made), int(last.line-first.line)
	} else {
		lines = bytes.Count(b[i:next], []byte{'\n'})
	}
	if same {
		r.out = m.refill(out, made[:until], b[i:], rows[:n])
	} else {
		r.out = append(out, made[done:until]...)
	}
	r.stats.Samples += int64(n)
	r.line += int64(lines)
	return next
}

// refill appends what was made of a family to out, but with other values of the same lengths: those that
// b has in the same places.
func (m *memory) refill(out, made, b []byte, rows []row) []byte {
	m.rows = append(m.rows, rows...)
	n := len(out)
	out = append(out, made...)
	for k := range rows {
		w := &rows[k]
		copy(out[n+int(w.out):], b[w.value:w.next])
	}
	return out
}

// end returns where the last of rows ends in what was made of the family.
func end(rows []row) int {
	if len(rows) == 0 {
		return 0
	}
	w := &rows[len(rows)-1]
	return int(w.out + w.next - w.value)
}
