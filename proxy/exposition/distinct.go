package exposition

import (
	"bytes"
	"slices"
)

// fewLabels is up to how many labels each is compared with each.
const fewLabels = 16

// distinct reports whether no two labels have the same name. With escapes,
// names are compared by what they mean. scratch is used for many labels.
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

// compareEscaped compares what a and b mean.
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

// unescape returns the first byte that b means and how many it takes. Unknown
// escapes stand for themselves.
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
