package exposition

import "encoding/binary"

// plan is how labels change a metric of the family in hand: one is put in at
// the place at, and the label at clash, if any, is renamed before.
type plan struct{ at, clash int32 }

// slow is the clash of a plan that has to be made again when it is carried out.
const slow = -2

// measure checks the family that b ends with and returns by how much labels
// lengthen it, or what is wrong with it.
func (r *Reader) measure(b []byte, start int) (grown int, what string) {
	const broken = "malformed family"
	fields := schema('F')
	named := false
	r.proto.plans, r.proto.planned = r.proto.plans[:0], 0
	for i := start; i < len(b); {
		f := next(b, i)
		i = f.end
		switch {
		case f.end == 0:
			return 0, broken
		case f.tag == familyMetric:
			if what := r.metric(b[:f.end], f, true); what != "" {
				return 0, what
			}
			p, more := r.plan(b[:f.end], f)
			r.proto.plans = append(r.proto.plans, p)
			grown += more
		case !f.conforms(b, fields):
			return 0, broken
		case f.tag == familyName:
			named = f.body < f.end
		case f.tag == familyType:
			if t, _ := uvarint(b, f.body); t > lastType {
				return 0, "unknown type"
			}
		}
	}
	if len(r.proto.plans) > 0 && !named {
		return 0, "no metric name"
	}
	return grown, ""
}

// metric reads the metric in the field f, which b ends with.
func (r *Reader) metric(b []byte, f field, strict bool) (what string) {
	m := &r.proto.metric
	what = m.read(b, f.body, strict)
	if what == "" && !m.alike && len(r.labels.list) == 1 {
		m.survey(b, &r.labels.list[0])
	}
	return what
}

// plan decides what becomes of the metric that has been read from the field f,
// and by how much that lengthens the field.
func (r *Reader) plan(b []byte, f field) (p plan, grown int) {
	m, l := &r.proto.metric, r.labels
	if len(l.list) != 1 {
		r.edit(b)
		return plan{clash: slow}, m.growth(f)
	}
	p = plan{at: int32(m.behind), clash: none}
	if m.before < len(m.spans) {
		p.at = m.spans[m.before].start
	}
	m.grown = len(l.list[0].pair)
	if m.clash != none {
		s := m.spans[m.clash]
		if l.list[0].Conflict != Exported || m.taken || s.empty() || !s.isUsual(b) || p.at < s.valueEnd {
			r.edit(b)
			return plan{clash: slow}, m.growth(f)
		}
		p.clash = s.start
		m.grown += len(prefix)
	}
	return p, m.grown + uvarintSize(f.end-f.body+m.grown) - (f.body - f.length)
}

// survey finds the label in the way of c, and the place of c by its name.
func (m *metric) survey(b []byte, c *compiled) {
	m.clash, m.before = find(b, m.spans, c.Name), 0
	m.taken = m.clash != none && find(b, m.spans, c.exported) != none
	for m.before < len(m.spans) && string(b[m.spans[m.before].name:m.spans[m.before].nameEnd]) <= c.Name {
		m.before++
	}
}

// isUsual reports whether the label has the form that metric.usual reads, and
// keeps it with a name longer by prefix.
func (s span) isUsual(b []byte) bool {
	const overhead = 4 // tags and lengths of name and value
	length := s.nameEnd - s.name + s.valueEnd - s.value + overhead
	return length+int32(len(prefix)) < 0x80 && s.name == s.start+4 && s.value == s.nameEnd+2 && int32(b[s.start+1]) == length
}

// edit makes the edits of the metric that has been read, and returns how many
// labels were in the way.
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
		p := r.proto.plans[r.proto.planned]
		r.proto.planned++
		r.stats.Samples++
		if p.clash == slow {
			from = r.writeEdited(b[:f.end], from, f)
		} else {
			from = r.writePlanned(b[:f.end], from, f, p)
		}
	}
	r.out = append(r.out, b[from:r.pos]...)
}

// writeEdited writes the metric f, read again, and what stands before it from
// from on. It returns up to where b has been copied.
func (r *Reader) writeEdited(b []byte, from int, f field) int {
	m := &r.proto.metric
	r.metric(b, f, false)
	r.stats.Conflicts += int64(r.edit(b))
	if len(m.edits) == 0 {
		return from
	}
	r.out = append(r.out, b[from:f.length]...)
	r.out = binary.AppendUvarint(r.out, uint64(f.end-f.body+m.grown))
	r.out = m.write(r.out, b, f.body)
	return f.end
}

// writePlanned does as writeEdited, but needs not read the metric.
func (r *Reader) writePlanned(b []byte, from int, f field, p plan) int {
	added := r.labels.list[0].pair
	out := append(r.out, b[from:f.length]...)
	if p.clash == none {
		out = binary.AppendUvarint(out, uint64(f.end-f.body+len(added)))
		from = f.body
	} else {
		r.stats.Conflicts++
		out = binary.AppendUvarint(out, uint64(f.end-f.body+len(added)+len(prefix)))
		out = append(out, b[f.body:p.clash]...)
		out = append(out, tagMetricLabel, b[p.clash+1]+byte(len(prefix)), tagPairName, b[p.clash+3]+byte(len(prefix)))
		out = append(out, prefix...)
		from = int(p.clash) + 4
	}
	r.out = append(append(out, b[from:p.at]...), added...)
	return int(p.at)
}
