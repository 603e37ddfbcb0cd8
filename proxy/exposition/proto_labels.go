package exposition

import "bytes"

// metric is a Metric message: where its labels are, and how they change. Metrics of a family
// usually have the same label names in the same order, so a name that is equal to that of the
// metric before needs no second check.
type metric struct {
	spans     []span
	last      []span // spans of the metric before
	shortcuts bool   // read common labels at once, compare names with last
	labelsEnd int    // end of the last label
	sameNames bool   // names are those of last, one by one
	sorted    bool   // labels are in the order of their names, none twice
	order     []span // memory for distinct
	edits     []edit // in the order of their offsets
	grown     int    // by how many bytes the edits lengthen the message
	arena     []byte // memory for new fields

	// If one label is to be added:
	conflict      int  // index of the label with its name, or none
	exportedTaken bool // a label has its name with prefix
	insertBefore  int  // index of the label before which it goes
}

// forget drops the metric before, because the buffer has moved.
func (m *metric) forget() {
	m.spans, m.conflict, m.exportedTaken, m.insertBefore = m.spans[:0], none, false, 0
}

// read finds the labels of the Metric message that b ends with. If strict is set, it checks the
// whole message and returns what is wrong with it.
func (m *metric) read(b []byte, start int, strict bool) (what string) {
	m.spans, m.last = m.last[:0], m.spans
	m.labelsEnd, m.sameNames, m.sorted = start, m.shortcuts, true
	fields := schema('M')
	i := start
	if m.shortcuts {
		i = m.commonLabels(b, start, strict)
	}
	for i < len(b) {
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
	m.sameNames = m.sameNames && len(m.spans) == len(m.last)
	if strict && !m.sameNames && !m.sorted && !distinct(b, m.spans, &m.order, false) {
		return "label given twice"
	}
	return ""
}

// commonLabels reads labels of the common form from i on: a short name, then a short value, and
// nothing else. It returns where the first field of another form begins.
func (m *metric) commonLabels(b []byte, i int, strict bool) int {
	for i+6 < len(b) && b[i] == tagMetricLabel && b[i+1] < 0x80 && b[i+2] == tagPairName && b[i+3] < 0x80 {
		end := i + 2 + int(b[i+1])
		name := i + 4
		nameEnd := name + int(b[i+3])
		value := nameEnd + 2
		if value > end || end > len(b) || b[nameEnd] != tagPairValue {
			break
		}
		if size := b[nameEnd+1]; size >= 0x80 || value+int(size) != end {
			break
		}
		if !m.label(b, span{int32(i), int32(name), int32(nameEnd), int32(value), int32(end)}, end, strict) {
			break
		}
		i = end
	}
	return i
}

// label checks the label at s, which ends at end, and records it.
func (m *metric) label(b []byte, s span, end int, strict bool) bool {
	if strict && !isString(b[s.value:s.valueEnd]) {
		return false
	}
	k := len(m.spans)
	name := b[s.name:s.nameEnd]
	if m.sameNames && k < len(m.last) {
		if l := m.last[k]; string(name) == string(b[l.name:l.nameEnd]) {
			m.spans = append(m.spans, s)
			m.labelsEnd = end
			return true
		}
	}
	if len(name) == 0 || !isString(name) || string(name) == "__name__" {
		return false
	}
	if m.sameNames {
		m.sameNames, m.sorted = false, m.inOrder(b)
	}
	if k > 0 {
		l := m.spans[k-1]
		m.sorted = m.sorted && bytes.Compare(b[l.name:l.nameEnd], name) < 0
	}
	m.spans = append(m.spans, s)
	m.labelsEnd = end
	return true
}

// inOrder reports whether the labels so far are in the order of their names.
func (m *metric) inOrder(b []byte) bool {
	for k := 1; k < len(m.spans); k++ {
		x, y := m.spans[k-1], m.spans[k]
		if bytes.Compare(b[x.name:x.nameEnd], b[y.name:y.nameEnd]) >= 0 {
			return false
		}
	}
	return true
}

// pair finds name and value in the LabelPair f at start. Of several the last counts, as in any
// protobuf decoder.
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
