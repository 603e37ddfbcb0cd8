package exposition

import (
	"math/bits"
	"strconv"
	"strings"
	"testing"
)

// numbers are what values may look like, and what looks like values.
func numbers() []string {
	return []string{
		"0", "1", "-1", "+1", "1.", ".5", "-.5", "1.5", "1e5", "1E+5", "1e-5", "1e99", "1.e1", "00001", "-0",
		"1e308", "1e309", "1e400", "-1e400", "1e-400", "1e100", "1e0000000001", "123456789012345678901234567890",
		strings.Repeat("9", 400), "0." + strings.Repeat("0", 400) + "1", "NaN", "nan", "nAn", "+NaN", "-NaN",
		"Inf", "+Inf", "-inf", "Infinity", "infinit", "", ".", "-", "+", "e", "1e", "1e+", "e5", "--1", "1.2.3", "1,5",
		"0x1", "0x1p3", "0X1P-2", "1_000", "1p3", "0b1", "0o7", " 1", "1 ", "1\r", "1e5x", "1x", "١", "1f", "1d",
	}
}

func TestIsFloat(t *testing.T) {
	for _, n := range numbers() {
		_, err := strconv.ParseFloat(n, 64)
		want := err == nil && !strings.ContainsAny(n, "pP_")
		if got := isFloat([]byte(n)); got != want {
			t.Errorf("isFloat(%q) = %v", n, got)
		}
		if d := decimal([]byte(n)); d == len(n) && d > 0 && !want {
			t.Errorf("decimal(%q) = %d", n, d)
		}
	}
}

func TestTimestamps(t *testing.T) {
	for in, want := range map[string][2]bool{ // milliseconds, seconds
		"0":                     {true, true},
		"1395066363000":         {true, true},
		"000000000000000000001": {true, true},
		"9223372036854775807":   {true, true},
		"9223372036854775808":   {false, true},
		"-1":                    {false, true},
		"+1":                    {false, true},
		"1.5":                   {false, true},
		"1e3":                   {false, true},
		"NaN":                   {false, false},
		"Inf":                   {false, false},
		"-Inf":                  {false, false},
		"":                      {false, false},
		"x":                     {false, false},
		"1_0":                   {false, false},
	} {
		if got := [2]bool{isMilliseconds([]byte(in)), isSeconds([]byte(in))}; got != want {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestClass(t *testing.T) {
	for c := range 256 {
		b := byte(c)
		letter := b|0x20 >= 'a' && b|0x20 <= 'z' || b == '_'
		digit := b >= '0' && b <= '9'
		want := map[byte]bool{
			labelByte:  letter || digit,
			metricByte: letter || digit || b == ':',
			digitByte:  digit,
			plainByte:  b > 0 && b < 0x80 && b != '"' && b != '\\' && b != '\n',
		}
		for bit, is := range want {
			if (class[b]&bit != 0) != is {
				t.Errorf("class of %q: %04b", b, class[b])
			}
		}
	}
}

func TestDistinct(t *testing.T) {
	names := func(s ...string) (b []byte, spans []span) {
		for _, n := range s {
			spans = append(spans, span{name: int32(len(b)), nameEnd: int32(len(b) + len(n))})
			b = append(b, n...)
		}
		return b, spans
	}
	many := strings.Split(strings.Repeat("x", 40), "")
	for i := range many {
		many[i] = "x" + strconv.Itoa(i)
	}
	var scratch []span
	for _, c := range []struct {
		names        []string
		raw, escaped bool
	}{
		{nil, true, true},
		{[]string{"a", "b", "ab"}, true, true},
		{[]string{"a", "b", "a"}, false, false},
		{[]string{`a\\b`, `a\b`}, true, false},
		{[]string{`a\n`, "a\n"}, true, false},
		{[]string{`a\"`, `a"`}, true, false},
		{[]string{`a\x`, `a\y`}, true, true},
		{[]string{`a\`, `a`}, true, true},
		{many, true, true},
		{append(many[:39:39], "x7"), false, false},
	} {
		b, spans := names(c.names...)
		if got := distinct(b, spans, &scratch, false); got != c.raw {
			t.Errorf("%.60q: %v", c.names, got)
		}
		if got := distinct(b, spans, &scratch, true); got != c.escaped {
			t.Errorf("%.60q, escaped: %v", c.names, got)
		}
	}
}

// TestWords holds the functions on eight bytes to the table of classes, for the first byte that differs.
func TestWords(t *testing.T) {
	for c := range 256 {
		for at := range 8 {
			for _, fill := range []byte("0aZ_") {
				b := []byte(strings.Repeat(string(fill), 8))
				b[at] = byte(c)
				first := func(x uint64) int { return bits.TrailingZeros64(x) / 8 }
				until := func(bit byte) int {
					n := 0
					for n < 8 && class[b[n]]&bit != 0 {
						n++
					}
					return n
				}
				if got, want := first(notDigits(word(b, 0))), until(digitByte); got != want {
					t.Errorf("notDigits(%q) at %d, want %d", b, got, want)
				}
				if got, want := first(uncommon(word(b, 0))), until(plainByte); got != want && (c >= ' ' || got > want) {
					t.Errorf("uncommon(%q) at %d, want %d", b, got, want)
				}
			}
		}
	}
}
