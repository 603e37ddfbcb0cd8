package exposition

import (
	"bytes"
	"slices"
)

// sample scans one sample and its newline into s.found.
func (s *scanner) sample() bool {
	f := &s.found
	*f = sample{spans: f.spans[:0], first: true}
	s.escapes = false
	s.blanks()
	f.nameAt = int32(s.i)
	f.named = s.identifier(metricByte)
	f.at = int32(s.i)
	if f.named {
		s.blanks()
	}
	if s.peek() == '{' && !s.labels(f) {
		return false
	}
	if !f.named {
		return s.fail("no metric name")
	}
	return s.value() && s.end()
}

// labels scans labels and the braces around them. A trailing comma is legal;
// in Prometheus text so is a missing one.
func (s *scanner) labels(f *sample) bool {
	s.i++
	f.at, f.open, f.first = int32(s.i), true, true
	for s.blanks(); !s.take('}'); s.blanks() {
		if !s.label(f) {
			return false
		}
		if s.blanks(); !s.take(',') && s.openMetrics && s.peek() != '}' {
			return s.fail("no comma between labels")
		}
	}
	if !s.unique(f.spans) {
		return s.fail("label given twice")
	}
	return true
}

// label scans one label, or the quoted name of the metric.
func (s *scanner) label(f *sample) bool {
	l := span{start: int32(s.i)}
	quoted := s.peek() == '"'
	if !s.labelName(&l, f) {
		return false
	}
	after := int32(s.i)
	s.blanks()
	if c := s.peek(); quoted && (c == ',' || c == '}') {
		f.at, f.first = after, false
		return s.metricName(f)
	}
	if !s.take('=') {
		return s.fail("no = after a label name")
	}
	s.blanks()
	start, end, ok := s.quoted(!s.openMetrics)
	if !ok {
		return false
	}
	if end-start >= maxValueBytes {
		return s.fail("label value too long")
	}
	l.value, l.valueEnd = int32(start), int32(end)
	f.at, f.first = int32(s.i), false
	f.spans = append(f.spans, l)
	return true
}

// labelName scans a bare or quoted name into l.
func (s *scanner) labelName(l *span, f *sample) bool {
	if s.peek() != '"' {
		if !s.identifier(labelByte) {
			return s.fail("no label name")
		}
		l.name, l.nameEnd = l.start, int32(s.i)
	} else {
		start, end, ok := s.quoted(f != &s.exemplar)
		if !ok {
			return false
		}
		l.name, l.nameEnd = int32(start), int32(end)
	}
	name := s.b[l.name:l.nameEnd]
	if len(name) == 0 {
		return s.fail("empty name")
	}
	if string(name) == "__name__" {
		return s.fail("metric name as a label")
	}
	s.escapes = s.escapes || bytes.IndexByte(name, '\\') >= 0
	return true
}

// metricName accepts a quoted metric name. OpenMetrics wants it before the
// labels; Prometheus reads it anywhere, but panics over one that is not first
// when it looks for created timestamps.
func (s *scanner) metricName(f *sample) bool {
	if f.named || s.openMetrics && len(f.spans) > 0 {
		return s.fail("misplaced metric name")
	}
	f.named = true
	return true
}

// unique reports whether no two labels have the same name.
func (s *scanner) unique(spans []span) bool {
	if len(spans) <= 16 && !s.escapes {
		for i, x := range spans {
			for _, y := range spans[:i] {
				if x.nameEnd-x.name == y.nameEnd-y.name && string(s.b[x.name:x.nameEnd]) == string(s.b[y.name:y.nameEnd]) {
					return false
				}
			}
		}
		return true
	}
	compare := func(x, y span) int {
		return compareEscaped(s.b[x.name:x.nameEnd], s.b[y.name:y.nameEnd])
	}
	s.order = append(s.order[:0], spans...)
	slices.SortFunc(s.order, compare)
	for i := 1; i < len(s.order); i++ {
		if compare(s.order[i-1], s.order[i]) == 0 {
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
