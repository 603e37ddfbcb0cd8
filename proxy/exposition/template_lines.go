package exposition

// templateLines labels lines from i on, until one does not match the template or a chunk is
// full. b has been copied up to from. It returns where the next line begins, and up to where b
// has been copied now.
func (r *Reader) templateLines(b []byte, i, from int) (next, copied int) {
	t, out := &r.text.template, r.out
	for i < len(b) && len(out)+i-from < r.full {
		end, brace := t.match(b, i)
		if end == 0 {
			break
		}
		added, blank := t.added, end+1
		if brace == 0 {
			added, blank = r.labels.bare, end
		}
		next = r.plainValue(b, blank)
		if next == 0 || next-i > r.text.longest {
			break
		}
		conflicts := 0
		if brace > 0 && t.conflict != none {
			out, from = t.writeConflict(out, b, from, brace)
			conflicts = 1
		}
		out = append(append(out, b[from:end]...), added...)
		r.stats.Samples++
		r.stats.Conflicts += int64(conflicts)
		r.line++
		if r.cache.complete {
			value := blank + 1
			v := valueRef{int32(value), int32(next), int32(len(out) + value - end), 0, int32(conflicts)}
			r.cache.remember(v, r.line)
		}
		i, from = next, end
	}
	r.out = out
	return i, from
}
