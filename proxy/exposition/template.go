package exposition

import (
	"math/bits"
	"unicode/utf8"
)

// patternLabels is how many labels a sample may have to serve as a pattern.
const patternLabels = 16

// pattern is a sample of the plain shape name{a="b",c="d"} 1 that the scanner has
// passed. Most lines look like one shortly before: the same label names in the
// same order, or the first few of them. Of such a line the names need no second
// check: they are legal, distinct, and in conflict with the same labels. Only
// what differs is looked at, and what differs in any other way than in metric
// name and values is left to the scanner.
//
// Offsets are from the opening brace.
type pattern struct {
	base   int                // of the remembered line: its brace in the buffer
	name   int                // length of its metric name
	count  int                // of its labels; 0: there is no pattern
	need   int                // how many of them a line must have for clash and suffix to hold
	starts [patternLabels]int // where the values begin, behind the quote
	ends   [patternLabels]int // where they end, at the quote

	repeats bool // only the last label is expected to differ
	sure    int  // where its value begins
	was     int  // the first label that differed in the line before
	turn    int  // the first that differed when it was not the last alone

	nameAt, nameEnd int // the metric name of the last comment

	clash  int    // index of the label that is in the way and has a value, or none
	lead   int    // how far before its value the change begins
	skip   bool   // its value is left out
	inset  short  // what is put in there
	suffix *short // what comes behind the last label: all labels to add, or
	fewer  short
}

// forget drops what the pattern knows of the buffer, which has moved.
func (p *pattern) forget() { p.count, p.repeats, p.nameAt, p.nameEnd = 0, false, 0, 0 }

// match returns where the labels of the line at i end, at the closing brace, and where
// they begin. Of a line without labels it returns the space behind the name. If
// the line does not match, at is 0.
func (p *pattern) match(b []byte, i int) (at, brace int) {
	brace = i + p.name
	turn := p.starts[p.turn]
	if p.count == 0 || brace+turn > len(b) || b[brace] != '{' {
		return p.other(b, i)
	}
	if string(b[i:brace+turn]) == string(b[p.base-p.name:p.base+turn]) {
		return p.search(b, i, brace, turn)
	}
	return p.search(b, i, brace, -p.name)
}

// search goes along the line whose labels begin at brace, and the remembered one, until
// they differ, reads the value in which that is anew from its beginning, and goes on
// behind it.
func (p *pattern) search(b []byte, i, brace, off int) (at, start int) {
	last := p.count - 1
	base, limit, first := p.base, p.ends[last]+2, last
	for k, moved := 0, false; ; {
		if brace+limit > len(b) {
			return p.fail(moved)
		}
		for off < limit {
			if d := word(b, brace+off) ^ word(b, base+off); d != 0 {
				off += bits.TrailingZeros64(d) / 8
				break
			}
			off += 8
		}
		if off >= limit {
			if p.base, p.name, p.sure = brace, brace-i, p.starts[last]; first == p.was {
				p.repeats = first == last
			}
			p.was, p.turn = first, first
			return brace + limit - 1, brace
		}
		if off <= 0 {
			return p.other(b, i)
		}
		for k <= last && off > p.ends[k] {
			k++
		}
		if k > last {
			return p.fail(moved)
		}
		if off < p.starts[k] {
			if k == 0 || k < p.need || off != p.ends[k-1]+1 || b[brace+off] != '}' {
				return p.fail(moved)
			}
			p.fail(moved)
			return brace + off, brace
		}
		end := closing(b, brace+p.starts[k], brace+off)
		if end == 0 || end == brace+p.starts[k] && k == p.clash {
			return p.fail(moved)
		}
		first = min(first, k)
		off = p.ends[k]
		if by := end - brace - off; by != 0 {
			p.move(k, by)
			moved = true
			base -= by
			limit += by
			off += by
		}
	}
}

// closing is closingQuote for a string from start on that is known to be one up to i, where
// word may be read. Most often it ends soon behind, and no escape or rune goes over i.
func closing(b []byte, start, i int) int {
	if c := b[i-1]; c != '\\' && c < utf8.RuneSelf {
		if odd := special(word(b, i)); odd != 0 {
			if end := i + bits.TrailingZeros64(odd)/8; end < len(b) && b[end] == '"' {
				return end
			}
		}
	}
	return closingQuote(b, start)
}

// move shifts by so much what stands behind the beginning of value k.
func (p *pattern) move(k, by int) {
	p.ends[k] += by
	for k++; k < p.count; k++ {
		p.starts[k] += by
		p.ends[k] += by
	}
}

// fail gives up a line. Offsets that have been moved no longer fit the remembered one.
func (p *pattern) fail(moved bool) (at, brace int) {
	if moved {
		p.count, p.repeats = 0, false
	}
	return 0, 0
}

// other is match for a line with another metric name than the remembered one.
func (p *pattern) other(b []byte, i int) (at, brace int) {
	j := p.metricName(b, i)
	if j == i || j == len(b) {
		return 0, 0
	}
	if b[j] == ' ' {
		return j, 0
	}
	if b[j] != '{' || p.count == 0 {
		return 0, 0
	}
	if k := p.count - 1; k > 0 && k >= p.need {
		end := p.ends[k-1] + 1
		if j+end < len(b) && b[j+end] == '}' && string(b[j:j+end]) == string(b[p.base:p.base+end]) {
			return j + end, j
		}
	}
	return p.search(b, i, j, 1)
}

// metricName returns where the metric name at i ends. In a comment it is often that
// of the comment before, which is known to be legal.
func (p *pattern) metricName(b []byte, i int) int {
	j := i + p.nameEnd - p.nameAt
	if j == i || j >= len(b) || string(b[i:j]) != string(b[p.nameAt:p.nameEnd]) {
		if j = i; class[b[i]]&digitByte != 0 {
			return i
		}
	}
	if j > i && j+8 <= len(b) {
		switch w := word(b, j); {
		case w&(1<<40-1) == sumWord:
			return j + 4
		case w&(1<<56-1) == countWord:
			return j + 6
		}
	}
	for j < len(b) && class[b[j]]&metricByte != 0 {
		j++
	}
	return j
}

// What stands behind the name of a histogram in its last two lines, as words.
const (
	sumWord   = '_' | 's'<<8 | 'u'<<16 | 'm'<<24 | '{'<<32
	countWord = '_' | 'c'<<8 | 'o'<<16 | 'u'<<24 | 'n'<<32 | 't'<<40 | '{'<<48
)

// cede copies b from from on to out at w, up to the label in the way of the line whose labels begin
// at brace, and writes what becomes of that. It returns where both go on.
func (p *pattern) cede(out []byte, w int, b []byte, from, brace int) (int, int) {
	start := brace + p.starts[p.clash] - p.lead
	if n := start - from; n <= 2*blockBytes && from+2*blockBytes <= cap(b) {
		block(out, w, b, from)
		block(out, w+blockBytes, b, from+blockBytes)
		w += n
	} else {
		w += copy(out[w:], b[from:start])
	}
	w = p.inset.put(out, w)
	if p.skip {
		start = brace + p.ends[p.clash]
	}
	return w, start
}
