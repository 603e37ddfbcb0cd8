package exposition

import (
	"bytes"
	"math/bits"
)

// maxTemplateLabels is how many labels a sample may have to become the template.
const maxTemplateLabels = 16

// template is the last sample of the common form name{a="b",c="d"} 1 that was labelled. Most
// lines have the label names of the line before, in the same order, or the first few of them.
// These names have been checked: they are legal, distinct, and conflict with the same configured
// labels. So only the bytes that differ need a check, and they may be in the metric name and in
// label values. The scanner takes any other line.
//
// Offsets are relative to the opening brace, unless a comment says otherwise.
type template struct {
	brace    int                    // the opening brace, relative to the buffer
	nameLen  int                    // length of the metric name
	count    int                    // number of labels; 0: there is no template
	required int                    // how many of them a line needs, or conflict and added do not hold
	starts   [maxTemplateLabels]int // where label values begin, after the quote
	ends     [maxTemplateLabels]int // where they end, at the quote

	lastOnly bool // the lines before differed in the last label value only
	changed  int  // first label whose value differed on the line before

	conflict  int    // label with a value and the name of a configured label, or none
	before    int    // bytes between inserted and the value of conflict
	dropValue bool   // the value of conflict is left out
	inserted  []byte // text that resolves the conflict
	added     []byte // text of the labels to add after the last one
	some      []byte // memory for added
}

// forget drops the template, because the buffer has moved.
func (t *template) forget() { t.count, t.lastOnly = 0, false }

// match matches the line at i with the template. It returns the offsets in b of the braces. On
// a line without labels end is the blank after the name, and brace is 0. If the line does not
// match, end is 0.
func (t *template) match(b []byte, i int) (end, brace int) {
	if t.lastOnly {
		if end = t.matchLast(b, i); end > 0 {
			return end, i + t.nameLen
		}
	}
	brace = i + t.nameLen
	first := t.starts[0]
	if t.count == 0 || brace+first > len(b) || b[brace] != '{' {
		return t.matchOtherName(b, i)
	}
	if string(b[i:brace+first]) == string(b[t.brace-t.nameLen:t.brace+first]) {
		return t.compare(b, i, brace, first)
	}
	return t.compare(b, i, brace, -t.nameLen)
}

// matchLast matches a line that differs from the template in the last label value only, which
// has at most seven bytes. It returns the offset of the closing brace, or 0.
func (t *template) matchLast(b []byte, i int) (end int) {
	last, brace := t.count-1, i+t.nameLen
	start := brace + t.starts[last]
	if start+10 > len(b) || string(b[i:start]) != string(b[t.brace-t.nameLen:t.brace+t.starts[last]]) {
		return 0
	}
	end = start + bits.TrailingZeros64(uncommon(word(b, start)))/8
	if b[end] != '"' || b[end+1] != '}' || end == start && t.conflict == last {
		return 0
	}
	t.brace, t.ends[last], t.changed = brace, end-brace, last
	return end + 1
}

// compare compares the line at i, whose opening brace is at brace, with the template from the
// offset off on. Where they differ it scans the label value, and goes on after it. The line
// becomes the template. Results are those of match.
func (t *template) compare(b []byte, i, brace, off int) (end, start int) {
	last := t.count - 1
	old, limit, first := t.brace, t.ends[last]+len(`"}`), last
	for k, moved := 0, false; ; {
		if brace+limit > len(b) {
			return t.mismatch(moved)
		}
		if off = commonPrefix(b, brace, old, off, limit); off >= limit {
			if first == t.changed {
				t.lastOnly = first == last
			}
			t.brace, t.nameLen, t.changed = brace, brace-i, first
			return brace + limit - 1, brace
		}
		if off <= 0 {
			return t.matchOtherName(b, i)
		}
		for k <= last && off > t.ends[k] {
			k++
		}
		if k > last {
			return t.mismatch(moved)
		}
		if off < t.starts[k] { // in a name: fine if the line has no more labels
			if k == 0 || k < t.required || off != t.ends[k-1]+1 || b[brace+off] != '}' {
				return t.mismatch(moved)
			}
			t.mismatch(moved)
			return brace + off, brace
		}
		end := valueEnd(b, brace+t.starts[k], brace+off)
		if end == 0 || end == brace+t.starts[k] && k == t.conflict {
			return t.mismatch(moved)
		}
		first = min(first, k)
		off = t.ends[k]
		if by := end - brace - off; by != 0 {
			t.shift(k, by)
			moved = true
			old, limit, off = old-by, limit+by, off+by
		}
	}
}

// commonPrefix returns the first offset from off on at which b differs from brace and from old
// on, or an offset of at least limit.
func commonPrefix(b []byte, brace, old, off, limit int) int {
	for off < limit {
		if d := word(b, brace+off) ^ word(b, old+off); d != 0 {
			return off + bits.TrailingZeros64(d)/8
		}
		off += 8
	}
	return off
}

// shift moves what follows the beginning of value k.
func (t *template) shift(k, by int) {
	t.ends[k] += by
	for k++; k < t.count; k++ {
		t.starts[k] += by
		t.ends[k] += by
	}
}

// mismatch gives up a line. Offsets that were shifted no longer describe the template.
func (t *template) mismatch(shifted bool) (end, brace int) {
	if shifted {
		t.forget()
	}
	return 0, 0
}

// matchOtherName is match for a line with another metric name.
func (t *template) matchOtherName(b []byte, i int) (end, brace int) {
	j := i
	if class[b[i]]&digitByte != 0 {
		return 0, 0
	}
	for j < len(b) && class[b[j]]&metricByte != 0 {
		j++
	}
	switch {
	case j == i || j == len(b):
		return 0, 0
	case b[j] == ' ':
		return j, 0
	case b[j] != '{' || t.count == 0:
		return 0, 0
	}
	if k := t.count - 1; k > 0 && k >= t.required { // _sum and _count have all labels but le
		end := t.ends[k-1] + 1
		if j+end < len(b) && b[j+end] == '}' && bytes.Equal(b[j:j+end], b[t.brace:t.brace+end]) {
			return j + end, j
		}
	}
	return t.compare(b, i, j, 1)
}

// writeConflict appends b from from on, up to the label in conflict of the line whose opening
// brace is at brace, and the text that resolves the conflict. It returns out, and up to where b
// has been copied.
func (t *template) writeConflict(out, b []byte, from, brace int) ([]byte, int) {
	at := brace + t.starts[t.conflict] - t.before
	out = append(append(out, b[from:at]...), t.inserted...)
	if t.dropValue {
		at = brace + t.ends[t.conflict]
	}
	return out, at
}

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
