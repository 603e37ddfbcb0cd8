package exposition

import "math/bits"

// plainValue returns where the line ends that goes on at i with one blank and a plain value, or
// 0: a decimal number, and in Prometheus text perhaps a timestamp.
func (r *Reader) plainValue(b []byte, i int) int {
	if next := shortValue(b, i); next > 0 {
		return next
	}
	return plainValue(b, i, r.text.scan.openMetrics)
}

// shortValue is plainValue for up to seven digits.
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

// plainValue returns where the line ends that goes on at i with one blank, a decimal number and
// perhaps a timestamp in milliseconds, or 0.
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
