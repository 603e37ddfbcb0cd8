package exposition

// none stands for no label where an index is optional.
const none = -1

// change is what becomes of a label that a sample already bears.
type change struct {
	span   int    // its index
	prefix string // what its name gets in front
	set    int    // index of the configured label whose value it takes, or none
	from   int    // index of the span whose value it takes, or none
}

// resolver decides, for one sample at a time, which labels are added and which
// change. Its result is valid until the next call.
type resolver struct {
	changes []change // in the order of their spans
	add     []int    // indices of configured labels, in their order
	renamed []string // names given to labels that made way
}

// resolve does what Prometheus does with target labels: all of them are set,
// then the labels in their way get prefix until the name is free, shorter names
// first. It returns how many labels with a value were in the way. Names and
// values of spans are in b.
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
		v.makeWay(l, b, spans)
	}
	return conflicts
}

// makeWay finds new names for the labels in the way. Where a label of that name
// but without value exists, the values move instead of the names.
func (v *resolver) makeWay(l *Labels, b []byte, spans []span) {
	for _, i := range l.rank {
		c := &l.list[i]
		k := find(b, spans, c.Name)
		if c.Conflict != Exported || k == none || spans[k].empty() {
			continue
		}
		name, vacant := v.free(l, b, spans, c.exported)
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

// free puts prefix before name until it is free, and returns it with the index
// of the label of that name that has no value, or none. Only a sample that
// bears names with prefix already makes it allocate.
func (v *resolver) free(l *Labels, b []byte, spans []span, name string) (string, int) {
	for ; ; name = prefix + name {
		vacant := find(b, spans, name)
		if (vacant == none || spans[vacant].empty()) && !l.has(name) && !v.gave(name) {
			return name, vacant
		}
	}
}

// gave reports whether a label has made way to name.
func (v *resolver) gave(name string) bool {
	for _, n := range v.renamed {
		if n == name {
			return true
		}
	}
	return false
}

// change records c at its place.
func (v *resolver) change(c change) {
	i := len(v.changes)
	v.changes = append(v.changes, c)
	for ; i > 0 && v.changes[i-1].span > c.span; i-- {
		v.changes[i] = v.changes[i-1]
	}
	v.changes[i] = c
}

// drop takes the configured label i out of those to add.
func (v *resolver) drop(i int) {
	kept := v.add[:0]
	for _, a := range v.add {
		if a != i {
			kept = append(kept, a)
		}
	}
	v.add = kept
}

// find returns the index of the label called name, or none. Raw names do for
// it: one with escapes never means a name without.
func find(b []byte, spans []span, name string) int {
	for k, s := range spans {
		if string(b[s.name:s.nameEnd]) == name {
			return k
		}
	}
	return none
}
