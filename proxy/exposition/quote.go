package exposition

import (
	"math/bits"
	"unicode/utf8"
)

// closingQuote returns where the string ends whose content goes on at i, or 0 if it is not
// UTF-8 on one line.
func closingQuote(b []byte, i int) int {
	if end := asciiString(b, i); end > 0 {
		return end
	}
	return closingQuoteSlow(b, i)
}

// asciiString is closingQuote for a string of ASCII without escapes and control characters. It
// returns 0 for any other string.
func asciiString(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		if x := uncommon(word(b, i)); x != 0 {
			if i += bits.TrailingZeros64(x) / 8; b[i] == '"' {
				return i
			}
			break
		}
	}
	return 0
}

// valueEnd is closingQuote for a string that begins at start and is known to be well-formed up to
// i. Eight bytes of b must be readable at i.
func valueEnd(b []byte, start, i int) int {
	if c := b[i-1]; c != '\\' && c < utf8.RuneSelf { // neither an escape nor a rune goes over i
		if x := uncommon(word(b, i)); x != 0 {
			if end := i + bits.TrailingZeros64(x)/8; end < len(b) && b[end] == '"' {
				return end
			}
		}
	}
	return closingQuote(b, start)
}

// uncommon has the high bit of the first byte of x that is a quote, a backslash, a control
// character or not ASCII. High bits of later bytes mean nothing.
func uncommon(x uint64) uint64 {
	quote, backslash := x^('"'*ones), x^('\\'*ones)
	zero := (quote - ones) &^ quote
	zero |= (backslash - ones) &^ backslash
	return (zero | (x - ' '*ones) | x) & highs
}

// closingQuoteSlow is closingQuote, a byte at a time.
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
