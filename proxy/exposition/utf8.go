package exposition

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// Bytes of a word, for work on eight at a time.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// lineEnd returns the offset after the next newline of b from i, or 0.
func lineEnd(b []byte, i int) int {
	n := bytes.IndexByte(b[i:], '\n')
	if n < 0 {
		return 0
	}
	return i + n + 1
}

// valid reports whether b is UTF-8 without NUL. Unlike utf8.Valid it returns to
// whole words behind a rune that is not ASCII.
func valid(b []byte) bool {
	for {
		i := asciiPrefix(b)
		if i == len(b) {
			return true
		}
		for i < len(b) && b[i] >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n == 1 {
				return false
			}
			i += n
		}
		if i < len(b) && b[i] == 0 {
			return false
		}
		b = b[i:]
	}
}

// asciiPrefix returns the length of the longest prefix of b that holds neither NUL
// nor bytes beyond ASCII.
func asciiPrefix(b []byte) int {
	i := 0
	for ; i+32 <= len(b); i += 32 {
		w := b[i : i+32 : i+32]
		if nonASCII(word(w, 0))|nonASCII(word(w, 8))|nonASCII(word(w, 16))|nonASCII(word(w, 24)) != 0 {
			break
		}
	}
	for ; i+8 <= len(b) && nonASCII(word(b, i)) == 0; i += 8 {
	}
	for i < len(b) && b[i]-1 < utf8.RuneSelf-1 {
		i++
	}
	return i
}

// nonASCII is zero if all bytes of x are between 1 and 127: then none borrows
// from the next, and none has its high bit.
func nonASCII(x uint64) uint64 { return (x - ones | x) & highs }

// word returns the eight bytes of b from i. That the slice has a fixed capacity saves
// the compiler from guarding a pointer behind its end.
func word(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i : i+8 : i+8]) }
