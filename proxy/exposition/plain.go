package exposition

import (
	"math/bits"
	"unicode/utf8"
)

// plain takes lines of the common shapes from i on, until it meets another or a
// chunk is full, and returns where that is and up to where b has been copied.
// Behind it the scanner has to judge.
func (r *Reader) plain(b []byte, i, from int) (next, copied int) {
	p, out, longest, full := &r.text.pattern, r.out, r.text.longest, r.full
	openMetrics := r.text.scan.openMetrics
	for i < len(b) && len(out)+i-from < full {
		if b[i] == '#' {
			if r.memory.whole && isHelp(b, i) {
				r.out = out
				if next = r.recall(b, i, from); next > i {
					out, i, from = r.out, next, next
					continue
				}
			}
			if next = p.comment(b, i, openMetrics); next == 0 || next-i > longest {
				break
			}
			i = next
			r.line++
			continue
		}
		at, clash, bare := p.match(b, i)
		after := at
		if !bare {
			after++
		}
		if at == 0 {
			break
		}
		if next = plainValue(b, after, openMetrics); next == 0 || next-i > longest {
			break
		}
		switch {
		case bare:
			out = r.labels.bare.appendTo(append(out, b[from:at]...))
		case p.clash == none:
			out = p.suffix.appendTo(append(out, b[from:at]...))
		case clash.end-clash.start-p.heads[p.clash] <= len(`",`):
			r.out = out
			return i, from // no value: nothing is in the way
		default:
			out, from = p.giveWay(out, b, from, clash)
			out = p.suffix.appendTo(append(out, b[from:at]...))
			r.stats.Conflicts++
		}
		r.stats.Samples++
		r.line++
		i, from = next, at
	}
	r.out = out
	return i, from
}

// giveWay appends what becomes of the label in the way, and returns up to where
// b has been copied.
func (p *pattern) giveWay(out, b []byte, from int, clash extent) ([]byte, int) {
	switch p.policy {
	case Exported:
		return append(append(out, b[from:clash.start]...), prefix...), clash.start
	case Override:
		return append(append(out, b[from:clash.start+p.heads[p.clash]]...), p.value...), clash.end - len(`",`)
	}
	return out, from
}

// plainValue returns where the line ends that goes on at i with a space, a plain
// number and perhaps a timestamp in milliseconds, or 0.
func plainValue(b []byte, i int, openMetrics bool) int {
	if i == len(b) || b[i] != ' ' {
		return 0
	}
	if i+9 <= len(b) { // most often a few digits and the newline
		n := bits.TrailingZeros64(notDigits(word(b, i+1))) / 8
		if n > 0 && n < 8 && b[i+1+n] == '\n' {
			return i + n + 2
		}
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
