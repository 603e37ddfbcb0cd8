package exposition

import (
	"bytes"
	"math"
	"math/bits"
	"strconv"
)

// isFloat reports whether b is the value of a sample: strconv.ParseFloat reads it without an error,
// and it is neither hexadecimal nor has underscores.
func isFloat(b []byte) bool {
	if decimal(b) == len(b) && len(b) > 0 {
		return true
	}
	_, ok := parseFloat(b)
	return ok
}

// parseFloat returns the number that b represents.
func parseFloat(b []byte) (float64, bool) {
	if bytes.ContainsAny(b, "pP_") {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(b), 64)
	return f, err == nil
}

// isSeconds reports whether b is a timestamp of OpenMetrics.
func isSeconds(b []byte) bool {
	f, ok := parseFloat(b)
	return ok && !math.IsNaN(f) && !math.IsInf(f, 0)
}

// decimal returns the length of a decimal number at the start of b, or 0: a sign, digits, a point
// and digits, an exponent of at most two digits. With at most 32 bytes before the exponent such a
// number fits a float64.
func decimal(b []byte) int {
	i := 0
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		i++
	}
	n := digits(b, i)
	i += n
	if i < len(b) && b[i] == '.' {
		f := digits(b, i+1)
		i += 1 + f
		n += f
	}
	if n == 0 || i > 32 {
		return 0
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '-' || b[i] == '+') {
			i++
		}
		n := digits(b, i)
		if n == 0 || n > 2 {
			return 0
		}
		i += n
	}
	return i
}

// digits counts the digits of b from i.
func digits(b []byte, i int) int {
	n := 0
	for i+n < len(b) && b[i+n]-'0' < 10 {
		n++
	}
	return n
}

// isMilliseconds reports whether b is a timestamp of Prometheus text: digits that fit an int64.
func isMilliseconds(b []byte) bool {
	n := digits(b, 0)
	if n == 0 || n != len(b) {
		return false
	}
	if n <= 18 {
		return true
	}
	_, err := strconv.ParseInt(string(b), 10, 64)
	return err == nil
}

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
