package exposition

import (
	"bytes"
	"encoding/binary"
)

// Constants for work on eight bytes at a time: 1 in each byte, and the high bit of each byte.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// word returns the eight bytes of b from i as a number, first byte lowest. They may lie behind the
// end of b, but within its capacity. The slice has a fixed capacity because then the compiler needs
// no guard for a pointer past the end.
func word(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i : i+8 : i+8]) }

// lineEnd returns the offset after the next newline of b from i, or 0.
func lineEnd(b []byte, i int) int {
	n := bytes.IndexByte(b[i:], '\n')
	if n < 0 {
		return 0
	}
	return i + n + 1
}
