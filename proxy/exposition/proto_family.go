package exposition

import (
	"cmp"
	"encoding/binary"
	"unicode/utf8"
)

// plan is how one label changes a metric of the current family: the label is inserted at an
// offset, after the label at the offset conflict, if any, has been renamed.
type plan struct{ insertAt, conflict int32 }

// readAgain is the conflict of a plan that is too long to keep: the metric is read again when it
// is written.
const readAgain = -2

// measureFamily checks the family that b ends with. It returns by how many bytes labels lengthen
// it, or what is wrong with it. Prometheus reads name, help and type only of a family that has
// metrics. Of several the last counts.
func (r *Reader) measureFamily(b []byte, start int) (grown int, what string) {
	fields := schema('F')
	nameFault, helpFault, typeFault := "no metric name", "", ""
	metrics := 0
	for i := start; i < len(b); {
		f := next(b, i)
		i = f.end
		switch {
		case f.end == 0:
			return 0, "malformed family"
		case f.tag == familyMetric:
			if what := r.readMetric(b[:f.end], f, true); what != "" {
				return 0, what
			}
			p, more := r.planMetric(b[:f.end], f)
			if metrics++; metrics <= maxPlans {
				r.proto.plans = append(r.proto.plans, p)
			}
			grown += more
		case !f.conforms(b, fields):
			return 0, "malformed family"
		case f.tag == familyName:
			nameFault = faultUnless(f.body < f.end && utf8.Valid(b[f.body:f.end]), "bad metric name")
		case f.tag == familyHelp:
			helpFault = faultUnless(utf8.Valid(b[f.body:f.end]), "help text is not UTF-8")
		case f.tag == familyType:
			t, _ := uvarint(b, f.body)
			typeFault = faultUnless(t <= lastType, "unknown type")
		}
	}
	if metrics > 0 {
		return grown, cmp.Or(nameFault, helpFault, typeFault)
	}
	return 0, ""
}

// faultUnless returns what, or "" if ok.
func faultUnless(ok bool, what string) string {
	if ok {
		return ""
	}
	return what
}

// readMetric reads the metric in the field f, which b ends with.
func (r *Reader) readMetric(b []byte, f field, strict bool) (what string) {
	m := &r.proto.metric
	what = m.read(b, f.body, strict)
	if what == "" && !m.sameNames && len(r.labels.list) == 1 {
		m.findConflict(b, &r.labels.list[0])
	}
	return what
}

// planMetric decides how the metric that was read from the field f changes, and by how many
// bytes that lengthens the field.
func (r *Reader) planMetric(b []byte, f field) (p plan, grown int) {
	m, l := &r.proto.metric, r.labels
	if len(l.list) != 1 || !r.shortcuts {
		r.edit(b)
		return plan{conflict: readAgain}, m.growth(f)
	}
	p = plan{insertAt: int32(m.labelsEnd), conflict: none}
	if m.insertBefore < len(m.spans) {
		p.insertAt = m.spans[m.insertBefore].start
	}
	m.grown = len(l.list[0].pair)
	if m.conflict != none {
		s := m.spans[m.conflict]
		rename := l.list[0].Conflict == Exported && !m.exportedTaken && !s.empty()
		if !rename || !s.isCommon(b) || p.insertAt < s.valueEnd {
			r.edit(b)
			return plan{conflict: readAgain}, m.growth(f)
		}
		p.conflict = s.start
		m.grown += len(prefix)
	}
	return p, m.grown + uvarintSize(f.end-f.body+m.grown) - (f.body - f.length)
}

// findConflict finds the label that conflicts with c, and the place of c in the order of names.
func (m *metric) findConflict(b []byte, c *compiled) {
	m.conflict, m.insertBefore = find(b, m.spans, c.Name), 0
	m.exportedTaken = m.conflict != none && find(b, m.spans, c.exported) != none
	for _, s := range m.spans {
		if string(b[s.name:s.nameEnd]) > c.Name {
			break
		}
		m.insertBefore++
	}
}

// isCommon reports whether the label has the form that metric.commonLabels reads, and keeps it
// when prefix is put before its name.
func (s span) isCommon(b []byte) bool {
	const overhead = 4 // tags and lengths of name and value
	length := s.nameEnd - s.name + s.valueEnd - s.value + overhead
	return length+int32(len(prefix)) < 0x80 && int32(b[s.start+1]) == length &&
		s.name == s.start+4 && s.value == s.nameEnd+2
}

// edit makes the edits of the metric that was read. It returns how many of its labels conflict.
func (r *Reader) edit(b []byte) (conflicts int) {
	m, v := &r.proto.metric, &r.proto.resolver
	conflicts = v.resolve(r.labels, b, m.spans)
	m.edit(b, r.labels, v)
	return conflicts
}

// writeFamily writes fields of the measured family until a chunk is full.
func (r *Reader) writeFamily() {
	b := r.in[:r.proto.until]
	from := r.pos
	for r.pos < len(b) && len(r.out)+r.pos-from < r.full {
		f := next(b, r.pos)
		r.pos = f.end
		if f.tag != familyMetric {
			continue
		}
		p := plan{conflict: readAgain}
		if r.proto.written < len(r.proto.plans) {
			p = r.proto.plans[r.proto.written]
		}
		r.proto.written++
		r.stats.Samples++
		if p.conflict == readAgain {
			from = r.writeEdited(b[:f.end], from, f)
		} else {
			from = r.writePlanned(b[:f.end], from, f, p)
		}
	}
	r.out = append(r.out, b[from:r.pos]...)
}

// writeEdited reads the metric f again and writes it, after the bytes before it from the offset
// from on. It returns up to where b has been copied.
func (r *Reader) writeEdited(b []byte, from int, f field) int {
	m := &r.proto.metric
	r.readMetric(b, f, false)
	r.stats.Conflicts += int64(r.edit(b))
	if len(m.edits) == 0 {
		return from
	}
	r.out = append(r.out, b[from:f.length]...)
	r.out = binary.AppendUvarint(r.out, uint64(f.end-f.body+m.grown))
	r.out = m.write(r.out, b, f.body)
	return f.end
}

// writePlanned is writeEdited by a plan, without reading the metric.
func (r *Reader) writePlanned(b []byte, from int, f field, p plan) int {
	added := r.labels.list[0].pair
	out := append(r.out, b[from:f.length]...)
	if p.conflict == none {
		out = binary.AppendUvarint(out, uint64(f.end-f.body+len(added)))
		from = f.body
	} else {
		r.stats.Conflicts++
		out = binary.AppendUvarint(out, uint64(f.end-f.body+len(added)+len(prefix)))
		pair := b[p.conflict:]
		out = append(out, b[f.body:p.conflict]...)
		out = append(out, tagMetricLabel, pair[1]+byte(len(prefix)), tagPairName, pair[3]+byte(len(prefix)))
		out = append(out, prefix...)
		from = int(p.conflict) + 4
	}
	r.out = append(append(out, b[from:p.insertAt]...), added...)
	return int(p.insertAt)
}
