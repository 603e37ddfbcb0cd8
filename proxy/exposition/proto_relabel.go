package exposition

import (
	"encoding/binary"
	"slices"
)

// edit replaces the bytes of the buffer from at to end by text.
type edit struct {
	at, end int
	text    []byte
}

// edit turns what v decided into edits. New labels go before the first label with a greater
// name: client_golang sends labels in the order of their names.
func (m *metric) edit(b []byte, l *Labels, v *resolver) {
	m.edits, m.arena, m.grown = m.edits[:0], m.arena[:0], 0
	for _, c := range v.changes {
		m.change(b, l, c)
	}
	for _, i := range l.sorted {
		if slices.Contains(v.add, i) {
			at := m.insertionPoint(b, l.list[i].Name)
			m.add(edit{at, at, l.list[i].pair})
		}
	}
}

// insertionPoint returns the offset where a label called name goes.
func (m *metric) insertionPoint(b []byte, name string) int {
	for _, s := range m.spans {
		if string(b[s.name:s.nameEnd]) > name {
			return int(s.start)
		}
	}
	return m.labelsEnd
}

// add inserts e into the edits, which are in the order of their offsets.
func (m *metric) add(e edit) {
	m.grown += len(e.text) - (e.end - e.at)
	i := len(m.edits)
	m.edits = append(m.edits, e)
	for ; i > 0 && m.edits[i-1].at > e.at; i-- {
		m.edits[i] = m.edits[i-1]
	}
	m.edits[i] = e
}

// change edits a LabelPair: its name, its value, and its length. Unknown fields of it stay.
func (m *metric) change(b []byte, l *Labels, c change) {
	s := m.spans[c.span]
	pair := next(b, int(s.start))
	before, placed := m.grown, false
	for i := pair.body; i < pair.end; {
		f := next(b, i)
		switch {
		case f.body == int(s.name) && c.prefix != "":
			from := len(m.arena)
			m.arena = appendField(m.arena, tagPairName, c.prefix, b[s.name:s.nameEnd])
			m.add(edit{i, f.end, m.arena[from:]})
		case f.body == int(s.value) && f.tag == tagPairValue:
			placed = true
			m.changeValue(b, l, c, edit{at: i, end: f.end})
		}
		i = f.end
	}
	if !placed {
		m.changeValue(b, l, c, edit{at: pair.end, end: pair.end})
	}
	from := len(m.arena)
	m.arena = binary.AppendUvarint(m.arena, uint64(pair.end-pair.body+m.grown-before))
	m.add(edit{pair.length, pair.body, m.arena[from:]})
}

// changeValue makes e the field LabelPair.value, if c changes it.
func (m *metric) changeValue(b []byte, l *Labels, c change, e edit) {
	from := len(m.arena)
	switch {
	case c.set != none:
		m.arena = appendField(m.arena, tagPairValue, l.list[c.set].Value, nil)
	case c.from != none:
		s := m.spans[c.from]
		m.arena = appendField(m.arena, tagPairValue, "", b[s.value:s.valueEnd])
	default:
		return
	}
	e.text = m.arena[from:]
	m.add(e)
}

// growth returns by how many bytes the edits lengthen the field f, which holds the metric.
func (m *metric) growth(f field) int {
	if len(m.edits) == 0 {
		return 0
	}
	return m.grown + uvarintSize(f.end-f.body+m.grown) - (f.body - f.length)
}

// write appends the metric that b ends with, edited.
func (m *metric) write(out, b []byte, from int) []byte {
	for _, e := range m.edits {
		out = append(out, b[from:e.at]...)
		out = append(out, e.text...)
		from = e.end
	}
	return append(out, b[from:]...)
}
