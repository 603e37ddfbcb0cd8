package exposition

import "bytes"

// metric is a Metric message: where its labels are, and how they change.
type metric struct {
	spans  []span
	last   []span // those of the metric before
	start  int    // of the message
	behind int    // end of the label that stands last
	alike  bool   // the names are, one by one, those of last
	sorted bool   // labels stand in the order of their names, none twice
	order  []span // scratch of distinct
	edits  []edit // in order of place
	grown  int    // by how much the edits lengthen the message
	arena  []byte // fields made anew
	clash  int    // index of the label called as the only one to add, or none
	taken  bool   // a label is called as that with prefix
	before int    // index of the label before which that goes
}

// forget drops what is known of the metric before: the buffer has moved.
func (m *metric) forget() {
	m.spans, m.clash, m.taken, m.before = m.spans[:0], none, false, 0
}

// read finds the labels of the Metric that b ends with. If strict it checks all
// of the message and returns what is wrong with it.
func (m *metric) read(b []byte, start int, strict bool) (what string) {
	m.spans, m.last = m.last[:0], m.spans
	m.start, m.behind, m.alike, m.sorted = start, start, true, true
	fields := schema('M')
	for i := m.usual(b, start, strict); i < len(b); {
		f := next(b, i)
		switch {
		case f.end == 0:
			return "malformed metric"
		case f.tag == tagMetricLabel:
			if s, ok := pair(b, i, f); !ok || !m.label(b, s, f.end, strict) {
				return "bad label"
			}
		case strict && !f.conforms(b, fields):
			return "malformed metric"
		}
		i = f.end
	}
	m.alike = m.alike && len(m.spans) == len(m.last)
	if strict && !m.alike && !m.sorted && !distinct(b, m.spans, &m.order, false) {
		return "label given twice"
	}
	return ""
}

// usual reads labels of the usual form from i on: a short name, a short value,
// nothing else. It returns where the first of another form begins.
func (m *metric) usual(b []byte, i int, strict bool) int {
	for i+6 < len(b) && b[i] == tagMetricLabel && b[i+1] < 0x80 && b[i+2] == tagPairName && b[i+3] < 0x80 {
		end := i + 2 + int(b[i+1])
		name := i + 4
		nameEnd := name + int(b[i+3])
		value := nameEnd + 2
		if value > end || end > len(b) || b[nameEnd] != tagPairValue || b[nameEnd+1] >= 0x80 || value+int(b[nameEnd+1]) != end {
			break
		}
		if !m.label(b, span{int32(i), int32(name), int32(nameEnd), int32(value), int32(end)}, end, strict) {
			break
		}
		i = end
	}
	return i
}

// label takes the label at s, which ends at end. Most often it has the name of
// the label at the same place in the metric before, which needs no second check.
func (m *metric) label(b []byte, s span, end int, strict bool) bool {
	if strict && !isString(b[s.value:s.valueEnd]) {
		return false
	}
	k := len(m.spans)
	name := b[s.name:s.nameEnd]
	if m.alike && k < len(m.last) {
		if l := m.last[k]; string(name) == string(b[l.name:l.nameEnd]) {
			m.spans = append(m.spans, s)
			m.behind = end
			return true
		}
	}
	if len(name) == 0 || !isString(name) || string(name) == "__name__" {
		return false
	}
	if m.alike {
		m.alike, m.sorted = false, m.inOrder(b)
	}
	if k > 0 {
		l := m.spans[k-1]
		m.sorted = m.sorted && bytes.Compare(b[l.name:l.nameEnd], name) < 0
	}
	m.spans = append(m.spans, s)
	m.behind = end
	return true
}

// inOrder reports whether the labels so far stand in the order of their names.
func (m *metric) inOrder(b []byte) bool {
	for k := 1; k < len(m.spans); k++ {
		x, y := m.spans[k-1], m.spans[k]
		if bytes.Compare(b[x.name:x.nameEnd], b[y.name:y.nameEnd]) >= 0 {
			return false
		}
	}
	return true
}

// pair finds name and value in the LabelPair f at start. Of several the last
// counts.
func pair(b []byte, start int, f field) (s span, ok bool) {
	s.start = int32(start)
	b = b[:f.end]
	for i := f.body; i < len(b); {
		f := next(b, i)
		if i = f.end; i == 0 {
			return s, false
		}
		if f.number() > 2 {
			continue
		}
		if f.wire() != wireBytes || !isString(b[f.body:f.end]) {
			return s, false
		}
		if f.tag == tagPairName {
			s.name, s.nameEnd = int32(f.body), int32(f.end)
		} else {
			s.value, s.valueEnd = int32(f.body), int32(f.end)
		}
	}
	return s, true
}
