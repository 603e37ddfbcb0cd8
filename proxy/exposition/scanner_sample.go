package exposition

import "bytes"

// maxValueBytes is the length at which Prometheus panics on a label value.
const maxValueBytes = 1 << 24

// sample scans one sample and its newline, and records it in s.found.
func (s *scanner) sample() bool {
	f := &s.found
	*f = sample{spans: f.spans[:0], empty: true}
	s.escapes = false
	s.blanks()
	f.nameStart = int32(s.i)
	f.named = s.identifier(metricByte)
	f.end = int32(s.i)
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

// labels scans labels and the braces around them. A trailing comma is legal. In Prometheus text a
// missing comma is legal as well. Prometheus does not check the label names of an exemplar: it drops
// an exemplar that it cannot store, and keeps the sample.
func (s *scanner) labels(f *sample) bool {
	s.i++
	f.end, f.braces, f.empty = int32(s.i), true, true
	for s.blanks(); !s.take('}'); s.blanks() {
		if !s.plainLabel(f) && !s.label(f) {
			return false
		}
		if s.blanks(); !s.take(',') && s.openMetrics && s.peek() != '}' {
			return s.fail("no comma between labels")
		}
	}
	if f == &s.found && !distinct(s.b, f.spans, &s.order, s.escapes) {
		return s.fail("label given twice")
	}
	return true
}

// plainLabel scans a label of the form name="value" without blanks, escapes and bytes that are
// not ASCII. If the label has another form it returns false and has done nothing.
func (s *scanner) plainLabel(f *sample) bool {
	b, i := s.b, s.i
	for i < len(b) && class[b[i]]&labelByte != 0 {
		i++
	}
	value := i + len(`="`)
	if i == s.i || value > len(b) || b[i] != '=' || b[i+1] != '"' || class[b[s.i]]&digitByte != 0 {
		return false
	}
	end := asciiString(b, value)
	if end == 0 || end-value >= maxValueBytes || f == &s.found && string(b[s.i:i]) == "__name__" {
		return false
	}
	f.spans = append(f.spans, span{int32(s.i), int32(s.i), int32(i), int32(value), int32(end)})
	s.i = end + 1
	f.end, f.empty = int32(s.i), false
	return true
}

// label scans a label of any form, or the quoted name of the metric.
func (s *scanner) label(f *sample) bool {
	l := span{start: int32(s.i)}
	quoted := s.peek() == '"'
	if !s.labelName(&l, f) {
		return false
	}
	after := int32(s.i)
	s.blanks()
	if c := s.peek(); quoted && (c == ',' || c == '}') {
		f.end, f.empty = after, false
		return s.metricName(f)
	}
	if !s.take('=') {
		return s.fail("no = after a label name")
	}
	s.blanks()
	rules := allowNUL
	if !s.openMetrics {
		rules |= allowNewline
	}
	start, end, ok := s.quoted(rules)
	if !ok {
		return false
	}
	if end-start >= maxValueBytes {
		return s.fail("label value too long")
	}
	l.value, l.valueEnd = int32(start), int32(end)
	f.end, f.empty = int32(s.i), false
	f.spans = append(f.spans, l)
	return true
}

// labelName scans a bare or quoted name and records it in l.
func (s *scanner) labelName(l *span, f *sample) bool {
	if s.peek() != '"' {
		if !s.identifier(labelByte) {
			return s.fail("no label name")
		}
		l.name, l.nameEnd = l.start, int32(s.i)
	} else {
		rules := allowNewline
		if f == &s.exemplar {
			rules = allowNonUTF8
		}
		start, end, ok := s.quoted(rules)
		if !ok {
			return false
		}
		l.name, l.nameEnd = int32(start), int32(end)
	}
	name := s.b[l.name:l.nameEnd]
	if f == &s.exemplar {
		return true
	}
	if len(name) == 0 {
		return s.fail("empty name")
	}
	if string(name) == "__name__" {
		return s.fail("metric name as a label")
	}
	s.escapes = s.escapes || bytes.IndexByte(name, '\\') >= 0
	return true
}

// metricName accepts a quoted metric name. In OpenMetrics it must come before the labels: Prometheus
// reads it anywhere, but panics over one that is not first when it looks for created timestamps.
func (s *scanner) metricName(f *sample) bool {
	if f.named || s.openMetrics && len(f.spans) > 0 {
		return s.fail("misplaced metric name")
	}
	f.named = true
	return true
}
