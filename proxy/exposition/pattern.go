package exposition

// patternLabels is how many labels a sample may have to serve as a pattern.
const patternLabels = 16

// pattern is a sample of the plain shape name{a="b",c="d"} 1 that the scanner has
// passed. Most lines look like one shortly before: the same label names in the
// same order, or the first few of them. Of such a line the names need no second
// check: they are legal, distinct, and in conflict with the same labels. Only
// what differs is looked at, and what differs in any other way than in metric
// name and values is left to the scanner.
type pattern struct {
	base  int                    // where the remembered line begins in the buffer
	count int                    // of its labels; 0: there is no pattern
	need  int                    // how many of them a line must have for clash and suffix to hold
	marks [patternLabels + 1]int // where each label begins, from base; the last: behind the brace
	heads [patternLabels]int     // lengths of name="
	ends  [patternLabels]int     // ends of the labels that match has looked at, with comma or brace

	nameAt, nameEnd int // the metric name seen last

	policy Conflict // of the label at clash
	clash  int      // index of the label that is in the way and has a value, or none
	value  string   // its new value, escaped, if Override
	suffix *short   // what comes behind the last label: all labels to add, or
	fewer  short
}

// forget drops what the pattern knows of the buffer, which has moved.
func (p *pattern) forget() { p.count, p.nameAt, p.nameEnd = 0, 0, 0 }

// match returns where the labels of the line at i end, before the brace, and
// the extent of the one that clashes. For a bare metric name it returns where
// that ends, and bare. If the line does not match, at is 0.
func (p *pattern) match(b []byte, i int) (at int, clash extent, bare bool) {
	first := p.count - 1
	if p.count > 0 { // most often only the value of the last label differs
		if j := p.same(b, i, p.base, p.marks[first]+p.heads[first]); j > 0 {
			if j = closingQuote(b, j) + 2; j > 2 && j <= len(b) && b[j-1] == '}' {
				p.ends[first] = j
				return j - 1, p.extent(i, i+p.marks[first], first), false
			}
		}
	}
	j := p.head(b, i)
	if j == 0 || b[j] == ' ' {
		return j, clash, j > 0
	}
	start := j + 1
	count, j := p.labels(b, start)
	if count == 0 || count < p.need {
		return 0, clash, false
	}
	clash = p.extent(i, start, 0)
	if count == p.count {
		p.rebase(i, start)
	}
	return j - 1, clash, false
}

// head returns where the metric name of the line at i ends, at a space or, if
// there is a pattern for what follows, at a brace; otherwise 0.
func (p *pattern) head(b []byte, i int) int {
	if p.count > 0 {
		if j := p.same(b, i, p.base, p.marks[0]); j > 0 {
			return j - 1
		}
	}
	j := p.metricName(b, i)
	if j > i && j < len(b) && (b[j] == ' ' || b[j] == '{' && p.count > 0) {
		return j
	}
	return 0
}

// same returns the offset n bytes from i if up to there b is the same as from
// base, or 0.
func (p *pattern) same(b []byte, i, base, n int) int {
	if i+n < len(b) && string(b[i:i+n]) == string(b[base:base+n]) {
		return i + n
	}
	return 0
}

// extent is where a label stands, with the comma or brace behind it.
type extent struct{ start, end int }

// extent returns where the label that clashes stands in the line at i, whose
// labels from first on, which begins at start, have just been matched.
func (p *pattern) extent(i, start, first int) extent {
	switch {
	case p.clash == none:
		return extent{}
	case p.clash < first:
		return extent{i + p.marks[p.clash], i + p.marks[p.clash+1]}
	case p.clash == first:
		return extent{start, p.ends[first]}
	}
	return extent{p.ends[p.clash-1], p.ends[p.clash]}
}

// rebase makes the line at i the pattern's.
func (p *pattern) rebase(i, start int) {
	p.base = i
	p.marks[0] = start - i
	for k := range p.count {
		p.marks[k+1] = p.ends[k] - i
	}
}

// metricName returns where the metric name at i ends. It often begins with the
// one of the last comment, which is known to be legal.
func (p *pattern) metricName(b []byte, i int) int {
	j := p.same(b, i, p.nameAt, p.nameEnd-p.nameAt)
	if j <= i {
		if j = i; class[b[i]]&digitByte != 0 {
			return i
		}
	}
	for j < len(b) && class[b[j]]&metricByte != 0 {
		j++
	}
	return j
}

// labels matches the labels of a line that begin at j. It returns how many they
// are, 0 if they do not match, and where the line goes on behind the brace.
func (p *pattern) labels(b []byte, j int) (count, behind int) {
	for k := range p.count {
		mark := p.base + p.marks[k]
		if next := p.same(b, j, mark, p.marks[k+1]-p.marks[k]); next > 0 {
			j = next
		} else {
			if j = p.same(b, j, mark, p.heads[k]); j == 0 {
				return 0, 0
			}
			if j = closingQuote(b, j) + 2; j == 2 || j > len(b) {
				return 0, 0
			}
		}
		p.ends[k] = j
		if b[j-1] != ',' {
			if b[j-1] != '}' {
				return 0, 0
			}
			return k + 1, j
		}
	}
	return 0, 0
}

// learn makes the sample f, scanned at i, the pattern if it is plain and at most
// one of its labels is in the way of one of l.
func (p *pattern) learn(b []byte, i int, f *sample, v *resolver, l *Labels) {
	p.count = 0
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
	for k, s := range f.spans {
		p.marks[k] = int(s.start) - i
		p.heads[k] = int(s.value - s.start)
	}
	p.base, p.count = i, n
	p.marks[n] = int(f.at) + 1 - i
}

// settle takes over what v decided, if that holds whatever the values are, as
// long as none in the way is empty.
func (p *pattern) settle(b []byte, f *sample, v *resolver, l *Labels) bool {
	p.clash, p.need = none, 0
	if len(v.add) == len(l.list) && len(v.changes) == 0 {
		return true
	}
	for k := range l.list {
		c := &l.list[k]
		at := find(b, f.spans, c.Name)
		if at == none {
			continue
		}
		if p.clash != none || f.spans[at].empty() {
			return false
		}
		p.clash, p.need, p.policy, p.value = at, at+1, c.Conflict, c.escaped
	}
	if p.clash != none && p.policy == Exported {
		return len(v.changes) == 1 && v.changes[0].prefix == prefix
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
