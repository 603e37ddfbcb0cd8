package exposition

// learn makes the sample f, scanned at i, the pattern if it is plain and at most
// one of its labels is in the way of one of l.
func (p *pattern) learn(b []byte, i int, f *sample, v *resolver, l *Labels) {
	p.count, p.repeats = 0, false
	n := len(f.spans)
	if n == 0 || n > patternLabels || !isPlain(b, i, f) || !p.settle(b, f, v, l) {
		return
	}
	p.suffix = &l.more
	if len(v.add) < len(l.list) {
		p.suffix = &p.fewer
		p.fewer.reset()
		for _, k := range v.add {
			p.fewer.add(",", l.list[k].text)
		}
	}
	p.base, p.count = int(f.spans[0].start)-1, n
	p.name, p.was, p.turn = p.base-i, n-1, 0
	for k, s := range f.spans {
		p.starts[k] = int(s.value) - p.base
		p.ends[k] = int(s.valueEnd) - p.base
	}
	p.sure, p.repeats = p.starts[n-1], true
}

// settle takes over what v decided, if that holds whatever the values are, as
// long as none in the way is empty.
func (p *pattern) settle(b []byte, f *sample, v *resolver, l *Labels) bool {
	p.clash, p.need = none, 0
	if len(v.add) == len(l.list) && len(v.changes) == 0 {
		return true
	}
	var c *compiled
	for k := range l.list {
		at := find(b, f.spans, l.list[k].Name)
		if at == none {
			continue
		}
		if p.clash != none || f.spans[at].empty() {
			return false
		}
		p.clash, c = at, &l.list[k]
	}
	if p.clash == none {
		return true
	}
	p.need, p.lead, p.skip = p.clash+1, 0, c.Conflict == Override
	p.inset.reset()
	switch c.Conflict {
	case Exported:
		p.lead = int(f.spans[p.clash].value - f.spans[p.clash].start)
		p.inset.add(prefix)
		return len(v.changes) == 1 && v.changes[0].prefix == prefix
	case Override:
		p.inset.add(c.escaped)
	}
	return true
}

// isPlain reports whether the labels of f stand without blanks, quoted names and
// trailing comma, directly behind a bare name at i.
func isPlain(b []byte, i int, f *sample) bool {
	next := f.spans[0].start
	if int(next) < i+2 || int(f.nameAt) != i || b[next-1] != '{' || class[b[next-2]]&metricByte == 0 {
		return false
	}
	for _, s := range f.spans {
		if s.start != next || s.name != s.start || s.value != s.nameEnd+2 {
			return false
		}
		next = s.valueEnd + 2
	}
	return next == f.at+1 && b[f.at] == '}'
}
