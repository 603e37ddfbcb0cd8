package exposition

import (
	"math/bits"
	"slices"
	"unicode/utf8"
)

// plain takes lines of the common shapes from i on, until it meets another or a
// chunk is full, and returns where that is and up to where b has been copied.
// Behind it the scanner has to judge.
func (r *Reader) plain(b []byte, i, from int) (next, copied int) {
	p, w, out := &r.text.pattern, len(r.out), r.out[:cap(r.out)]
	for i < len(b) && w+i-from < r.full {
		suffix, at, brace, start := p.suffix, 0, i+p.name, i+p.name+p.sure
		if p.repeats && start+10 <= len(b) && string(b[i:start]) == string(b[p.base-p.name:p.base+p.sure]) {
			end := start + bits.TrailingZeros64(special(word(b, start)))/8
			if b[end] == '"' && b[end+1] == '}' && (end > start || p.clash != p.count-1) {
				p.was = p.count - 1
				p.base, p.ends[p.was], at = brace, end-brace, end+1
			}
		}
		if at == 0 && b[i] == '#' {
			r.out = out[:w]
			if next, copied = r.comment(b, i, from); next == i {
				break
			}
			i, from, w, out = next, copied, len(r.out), r.out[:cap(r.out)]
			continue
		} else if at == 0 {
			at, brace = p.match(b, i)
		}
		space := at + 1 // behind the brace
		if brace == 0 {
			suffix, space = &r.labels.bare, at
		}
		if next = shortValue(b, space); next == 0 && at > 0 {
			next = plainValue(b, space, r.text.scan.openMetrics)
		}
		if at == 0 || next == 0 || next-i > r.text.longest {
			break
		}
		if n := w + at - from + len(suffix.text) + len(p.inset.text) + slack; n > len(out) {
			out = slices.Grow(out[:w], n-w)[:n]
		}
		conflicts := 0
		if brace > 0 && p.clash != none {
			w, from = p.cede(out, w, b, from, brace)
			conflicts = 1
		}
		if n := at - from; n <= 3*blockBytes && from+3*blockBytes <= cap(b) {
			block(out, w, b, from)
			block(out, w+blockBytes, b, from+blockBytes)
			block(out, w+2*blockBytes, b, from+2*blockBytes)
			w += n
		} else {
			w += copy(out[w:], b[from:at])
		}
		w = suffix.put(out, w)
		r.stats.Samples++
		r.stats.Conflicts += int64(conflicts)
		r.line++
		if r.cache.complete {
			r.cache.remember(valueRef{int32(space + 1), int32(next), int32(w + space + 1 - at), 0, int32(conflicts)}, r.line)
		}
		i, from = next, at
	}
	r.out = out[:w]
	return i, from
}

// comment takes the comment at i, or a family.
func (r *Reader) comment(b []byte, i, from int) (next, copied int) {
	if r.cache.complete && isHelp(b, i) {
		if next, copied = r.reuse(b, i, from); next > i {
			return next, copied
		}
	}
	if next = r.text.pattern.comment(b, i, r.text.scan.openMetrics); next == 0 || next-i > r.text.longest {
		return i, from
	}
	r.line++
	return next, from
}

// shortValue is plainValue for a space, up to seven digits and the newline.
func shortValue(b []byte, i int) int {
	if i+10 > len(b) {
		return 0
	}
	n := i + 1 + bits.TrailingZeros64(notDigits(word(b, i+1)))/8
	if b[i] == ' ' && b[n] == '\n' && n > i+1 {
		return n + 1
	}
	return 0
}

// plainValue returns where the line ends that goes on at i with a plain value, or 0.
func (r *Reader) plainValue(b []byte, i int) int {
	if next := shortValue(b, i); next > 0 {
		return next
	}
	return plainValue(b, i, r.text.scan.openMetrics)
}

// plainValue returns where the line ends that goes on at i with a space, a plain
// number and perhaps a timestamp in milliseconds, or 0.
func plainValue(b []byte, i int, openMetrics bool) int {
	if i == len(b) || b[i] != ' ' {
		return 0
	}
	n := decimal(b[i+1:])
	if i += 1 + n; n == 0 || i == len(b) {
		return 0
	}
	if b[i] == '\n' {
		return i + 1
	}
	if n = digits(b, i+1); b[i] != ' ' || openMetrics || n == 0 || n > 18 {
		return 0
	}
	if i += 1 + n; i < len(b) && b[i] == '\n' {
		return i + 1
	}
	return 0
}

// notDigits has the high bit of each byte of x that is no digit.
func notDigits(x uint64) uint64 {
	x ^= '0' * ones
	return (x&^highs + (0x80-10)*ones | x) & highs
}

// The first seven bytes of comments, as words.
const (
	helpWord = '#' | ' '<<8 | 'H'<<16 | 'E'<<24 | 'L'<<32 | 'P'<<40 | ' '<<48
	typeWord = '#' | ' '<<8 | 'T'<<16 | 'Y'<<24 | 'P'<<32 | 'E'<<40 | ' '<<48
	wordMask = 1<<56 - 1
)

// isHelp reports whether a HELP line, as families begin with, stands at i.
func isHelp(b []byte, i int) bool { return i+8 <= len(b) && word(b, i)&wordMask == helpWord }

// comment returns where the HELP or TYPE line at i ends, or 0 if it is neither or
// not a plain one.
func (p *pattern) comment(b []byte, i int, openMetrics bool) int {
	if i+8 > len(b) {
		return 0
	}
	keyword := word(b, i) & wordMask
	if keyword != helpWord && keyword != typeWord {
		return 0
	}
	j := p.metricName(b, i+7)
	if j == i+7 || j == len(b) || b[j] != ' ' {
		return 0
	}
	p.nameAt, p.nameEnd = i+7, j
	next := lineEnd(b, j)
	if next == 0 {
		return 0
	}
	text := b[j+1 : next-1]
	if keyword == helpWord && valid(text) || keyword == typeWord && isType(text, openMetrics) {
		return next
	}
	return 0
}

// closingQuote returns where the string ends whose content goes on at i, or 0
// if that is not UTF-8 on a line.
func closingQuote(b []byte, i int) int {
	if end := simpleString(b, i); end > 0 {
		return end
	}
	return closingQuoteSlow(b, i)
}

// simpleString does as closingQuote for a string of ASCII without escapes, and
// returns 0 for any other. Most need one look at a word or two.
func simpleString(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		if odd := special(word(b, i)); odd != 0 {
			if i += bits.TrailingZeros64(odd) / 8; b[i] == '"' {
				return i
			}
			break
		}
	}
	return 0
}

// special has the high bit of the first byte of x that is a quote, a backslash, a
// control character or not ASCII, and perhaps of bytes after it.
func special(x uint64) uint64 {
	quote, backslash := x^('"'*ones), x^('\\'*ones)
	zero := (quote - ones) &^ quote
	zero |= (backslash - ones) &^ backslash
	return (zero | (x - ' '*ones) | x) & highs
}

// closingQuoteSlow is closingQuote a byte at a time.
func closingQuoteSlow(b []byte, i int) int {
	for {
		for i < len(b) && class[b[i]]&plainByte != 0 {
			i++
		}
		switch {
		case i == len(b):
			return 0
		case b[i] == '"':
			return i
		case b[i] == '\\':
			if i++; i == len(b) || b[i] == 0 || b[i] == '\n' {
				return 0
			}
			if b[i] < utf8.RuneSelf {
				i++
			}
		case b[i] >= utf8.RuneSelf:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n == 1 {
				return 0
			}
			i += n
		default:
			return 0
		}
	}
}
