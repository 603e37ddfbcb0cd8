package exposition

import (
	"bytes"
	"slices"
)

// fewLabels is the number of labels up to which each is compared with each.
const fewLabels = 16

// distinct reports whether no two labels have the same name. If names may have escapes, they are
// compared unescaped. scratch is memory for sorting many labels.
func distinct(b []byte, spans []span, scratch *[]span, escapes bool) bool {
	if len(spans) > fewLabels || escapes {
		return distinctSorted(b, spans, scratch, escapes)
	}
	for i, x := range spans {
		name := b[x.name:x.nameEnd]
		for _, y := range spans[:i] {
			if int(y.nameEnd-y.name) == len(name) && string(b[y.name:y.nameEnd]) == string(name) {
				return false
			}
		}
	}
	return true
}

// distinctSorted is distinct by sorting.
func distinctSorted(b []byte, spans []span, scratch *[]span, escapes bool) bool {
	compare := func(x, y span) int {
		if escapes {
			return compareEscaped(b[x.name:x.nameEnd], b[y.name:y.nameEnd])
		}
		return bytes.Compare(b[x.name:x.nameEnd], b[y.name:y.nameEnd])
	}
	order := append((*scratch)[:0], spans...)
	*scratch = order
	slices.SortFunc(order, compare)
	for i := 1; i < len(order); i++ {
		if compare(order[i-1], order[i]) == 0 {
			return false
		}
	}
	return true
}

// compareEscaped compares a and b unescaped.
func compareEscaped(a, b []byte) int {
	for len(a) > 0 && len(b) > 0 {
		x, n := unescape(a)
		y, m := unescape(b)
		if x != y {
			return int(x) - int(y)
		}
		a, b = a[n:], b[m:]
	}
	return len(a) - len(b)
}

// unescape returns the first byte of b unescaped, and how many bytes of b it takes. An unknown
// escape stands for itself, as in Prometheus.
func unescape(b []byte) (byte, int) {
	if b[0] == '\\' && len(b) > 1 {
		switch b[1] {
		case 'n':
			return '\n', 2
		case '"', '\\':
			return b[1], 2
		}
	}
	return b[0], 1
}
