package exposition

// setTemplate makes the sample f, which was scanned at i, the template, if it has the common
// form and at most one of its labels conflicts with one of l. v is how conflicts were resolved.
func (t *template) setTemplate(b []byte, i int, f *sample, v *resolver, l *Labels) {
	t.forget()
	n := len(f.spans)
	if n == 0 || n > maxTemplateLabels || !isCommon(b, i, f) || !t.setConflict(f, b, v, l) {
		return
	}
	t.added = l.more
	if len(v.add) < len(l.list) {
		t.some = t.some[:0]
		for _, k := range v.add {
			t.some = append(append(t.some, ','), l.list[k].text...)
		}
		t.added = t.some
	}
	t.brace, t.count = int(f.spans[0].start)-1, n
	t.nameLen, t.changed = t.brace-i, n-1
	for k, s := range f.spans {
		t.starts[k] = int(s.value) - t.brace
		t.ends[k] = int(s.valueEnd) - t.brace
	}
	t.lastOnly = true
}

// setConflict takes over how v resolved a conflict, if that holds for any values, as long as
// the label in conflict is not empty. Otherwise it returns false.
func (t *template) setConflict(f *sample, b []byte, v *resolver, l *Labels) bool {
	t.conflict, t.required = none, 0
	if len(v.add) == len(l.list) && len(v.changes) == 0 {
		return true
	}
	var c *compiled
	for k := range l.list {
		at := find(b, f.spans, l.list[k].Name)
		if at == none {
			continue
		}
		if t.conflict != none || f.spans[at].empty() {
			return false
		}
		t.conflict, c = at, &l.list[k]
	}
	if t.conflict == none {
		return true
	}
	t.required, t.before, t.dropValue = t.conflict+1, 0, c.Conflict == Override
	t.inserted = t.inserted[:0]
	switch c.Conflict {
	case Exported:
		t.before = int(f.spans[t.conflict].value - f.spans[t.conflict].start)
		t.inserted = append(t.inserted, prefix...)
		return len(v.changes) == 1 && v.changes[0].prefix == prefix
	case Override:
		t.inserted = append(t.inserted, c.escaped...)
	}
	return true
}

// isCommon reports whether f is a bare name at i and, directly behind it, labels without blanks,
// quoted names and a trailing comma.
func isCommon(b []byte, i int, f *sample) bool {
	next := f.spans[0].start
	if int(next) < i+2 || int(f.nameStart) != i || b[next-1] != '{' || class[b[next-2]]&metricByte == 0 {
		return false
	}
	for _, s := range f.spans {
		if s.start != next || s.name != s.start || s.value != s.nameEnd+2 {
			return false
		}
		next = s.valueEnd + 2
	}
	return next == f.end+1 && b[f.end] == '}'
}
