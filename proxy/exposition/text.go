package exposition

import (
	"bytes"
	"errors"
	"io"
)

// eof is the line that ends OpenMetrics.
const eof = "# EOF"

// errShort means that a sample or comment does not end in the buffer.
var errShort = errors.New("more input needed")

// textState is what a Reader of text keeps.
type textState struct {
	scan     scanner
	resolver resolver
	pattern  pattern
	longest  int  // line that the pattern may take, with its newline
	done     bool // the line that ends OpenMetrics has been read
}

func (t *textState) reset(openMetrics bool, lineBytes int64) {
	t.done, t.scan.openMetrics = false, openMetrics
	t.longest = int(min(lineBytes+1, maxValueBytes))
	t.pattern.forget()
}

// lines labels text until a chunk is full or the input ends.
func (r *Reader) lines() error {
	for {
		if err := r.rewrite(); err != errShort {
			return err
		}
		if len(r.out) >= r.full {
			return nil
		}
		if err := r.fill(); err == io.EOF {
			return r.endText()
		} else if err != nil {
			return err
		}
		r.text.pattern.forget()
	}
}

// endText judges what is left when the input has ended. A text whose last line
// has no newline cannot be told from one that was cut.
func (r *Reader) endText() error {
	rest := r.in[r.pos:r.end]
	switch {
	case r.read == 0:
		return ErrEmpty
	case r.text.scan.openMetrics && !r.text.done && string(rest) == eof:
		r.out = append(r.out, rest...)
		r.pos = r.end
	case len(rest) > 0 || r.text.scan.openMetrics && !r.text.done:
		return ErrTruncated
	}
	return io.EOF
}

// rewrite labels what is in the buffer. Runs that do not change are copied as
// late and as long as possible.
func (r *Reader) rewrite() error {
	b := r.in[:r.end]
	from, i := r.pos, r.pos
	var err error
	for {
		if !r.text.done {
			i, from = r.plain(b, i, from)
		}
		if len(r.out)+i-from >= r.full {
			break
		}
		var next, copied int
		if next, copied, err = r.strict(b, i, from); err != nil {
			break
		}
		i, from = next, copied
	}
	r.out = append(r.out, b[from:i]...)
	r.pos = i
	return err
}

// strict takes the line or sample at i, and returns where the next begins and
// up to where b has been copied.
func (r *Reader) strict(b []byte, i, from int) (next, copied int, err error) {
	t, s := &r.text, &r.text.scan
	s.b, s.i, s.newlines = b, i, 0
	s.blanks()
	ok, sample := true, false
	switch c := s.peek(); {
	case i == len(b):
		return 0, 0, errShort
	case t.done:
		return 0, 0, r.syntax(0, "more after "+eof)
	case s.openMetrics && bytes.HasPrefix(b[i:], []byte(eof+"\n")):
		t.done = true
		r.line++
		return i + len(eof) + 1, from, nil
	case c == '\n' && !s.openMetrics:
		s.i++
	case c == '#':
		if lineEnd(b, s.i) == 0 {
			return 0, 0, errShort
		}
		ok = s.comment()
	default:
		s.i = i
		ok, sample = s.sample(), true
	}
	switch {
	case !ok && s.short:
		return 0, 0, errShort
	case !ok:
		return 0, 0, r.syntax(s.newlines, s.what)
	case int64(s.i-i-1) > r.limits.LineBytes:
		return 0, 0, ErrTooLong
	case sample:
		before := r.stats.Conflicts
		from = r.insert(b, from)
		if r.cache.complete {
			value := r.value(b)
			ref := valueRef{int32(value), int32(s.i), int32(len(r.out) + value - from), 0, int32(r.stats.Conflicts - before)}
			r.cache.remember(ref, r.line+s.newlines+1)
		}
		if s.newlines == 0 {
			t.pattern.learn(b, i, &s.found, &t.resolver, r.labels)
		}
	}
	r.line += s.newlines + 1
	return s.i, from, nil
}

// value returns where the value of the sample that has been scanned begins, if that and the blank
// before it are plain, or where the line ends.
func (r *Reader) value(b []byte) int {
	s := &r.text.scan
	i := int(s.found.at)
	if s.found.open && b[i] == '}' {
		i++
	}
	if plainValue(b, i, s.openMetrics) == s.i {
		return i + 1
	}
	return s.i
}

// insert writes the sample that has been scanned up to where labels go, with
// the labels, and returns that place. b has been copied up to from.
//
// Labels go behind the last one, or behind a quoted metric name: there they never
// stand before that name, blanks and a trailing comma stay as they are, and all
// series of a family, _created too, get them at the same place of the label
// order by which Prometheus pairs them.
func (r *Reader) insert(b []byte, from int) int {
	f, v := &r.text.scan.found, &r.text.resolver
	r.stats.Samples++
	r.stats.Conflicts += int64(v.resolve(r.labels, b, f.spans))
	out := r.out
	for _, c := range v.changes {
		s := f.spans[c.span]
		out = append(out, b[from:s.name]...)
		out = append(out, c.prefix...)
		from = int(s.name)
		if c.set != none {
			out = append(out, b[from:s.value]...)
			out = append(out, r.labels.list[c.set].escaped...)
			from = int(s.valueEnd)
		} else if c.from != none {
			out = append(out, b[from:s.value]...)
			out = append(out, b[f.spans[c.from].value:f.spans[c.from].valueEnd]...)
			from = int(s.valueEnd)
		}
	}
	out = append(out, b[from:f.at]...)
	switch {
	case len(v.add) == 0:
	case !f.open:
		out = append(out, r.labels.bare.text...)
	case len(v.add) == len(r.labels.list) && !f.first:
		out = append(out, r.labels.more.text...)
	default:
		for n, i := range v.add {
			if n > 0 || !f.first {
				out = append(out, ',')
			}
			out = append(out, r.labels.list[i].text...)
		}
	}
	r.out = out
	return int(f.at)
}
