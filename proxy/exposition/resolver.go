package exposition

// none is the index of no label.
const none = -1

// change is how a label that a sample has changes.
type change struct {
	span   int    // index of the label
	prefix string // text before its name
	set    int    // index of the configured label whose value it gets, or none
	from   int    // index of the span whose value it gets, or none
}

// resolver decides, for one sample at a time, which configured labels are added and which labels
// of the sample change. Its result is valid until the next call.
type resolver struct {
	changes []change // in the order of their spans
	add     []int    // indices of configured labels, in their order
	renamed []string // new names of conflicting labels
}

// resolve resolves conflicts as Prometheus does for target labels (scrape.mutateSampleLabels): all
// configured labels are set, then conflicting labels get prefix until the name is free, shorter
// names first. It returns how many labels with a value conflicted. Names and values of spans are
// in b.
func (v *resolver) resolve(l *Labels, b []byte, spans []span) (conflicts int) {
	v.changes, v.add, v.renamed = v.changes[:0], v.add[:0], v.renamed[:0]
	for i := range l.list {
		c := &l.list[i]
		k := find(b, spans, c.Name)
		if k == none {
			v.add = append(v.add, i)
			continue
		}
		if !spans[k].empty() {
			conflicts++
		}
		switch {
		case c.Conflict == Keep:
		case c.Conflict == Override || spans[k].empty():
			v.change(change{span: k, set: i, from: none})
		default:
			v.add = append(v.add, i)
		}
	}
	if conflicts > 0 {
		v.rename(l, b, spans)
	}
	return conflicts
}

// rename finds new names for conflicting labels. If a label of that name exists, but has no value,
// the values move instead of the names.
func (v *resolver) rename(l *Labels, b []byte, spans []span) {
	for _, i := range l.rank {
		c := &l.list[i]
		k := find(b, spans, c.Name)
		if c.Conflict != Exported || k == none || spans[k].empty() {
			continue
		}
		name, vacant := v.freeName(l, b, spans, c.exported)
		v.renamed = append(v.renamed, name)
		if vacant == none {
			v.change(change{span: k, prefix: name[:len(name)-len(c.Name)], set: none, from: none})
			continue
		}
		v.change(change{span: vacant, set: none, from: k})
		v.change(change{span: k, set: i, from: none})
		v.drop(i)
	}
}

// freeName puts prefix before name until it is free. It returns the name, and the index of the label
// of that name that has no value, or none. It allocates only if the sample has names with prefix.
func (v *resolver) freeName(l *Labels, b []byte, spans []span, name string) (string, int) {
	for ; ; name = prefix + name {
		vacant := find(b, spans, name)
		if (vacant == none || spans[vacant].empty()) && !l.has(name) && !v.isTaken(name) {
			return name, vacant
		}
	}
}

// isTaken reports whether a conflicting label has been renamed to name.
func (v *resolver) isTaken(name string) bool {
	for _, n := range v.renamed {
		if n == name {
			return true
		}
	}
	return false
}

// change records c, in the order of spans.
func (v *resolver) change(c change) {
	i := len(v.changes)
	v.changes = append(v.changes, c)
	for ; i > 0 && v.changes[i-1].span > c.span; i-- {
		v.changes[i] = v.changes[i-1]
	}
	v.changes[i] = c
}

// drop removes the configured label i from those to add.
func (v *resolver) drop(i int) {
	kept := v.add[:0]
	for _, a := range v.add {
		if a != i {
			kept = append(kept, a)
		}
	}
	v.add = kept
}

// find returns the index of the label called name, or none. It compares raw names: a configured
// name has nothing to escape, so one with escapes is another.
func find(b []byte, spans []span, name string) int {
	for k, s := range spans {
		if string(b[s.name:s.nameEnd]) == name {
			return k
		}
	}
	return none
}
