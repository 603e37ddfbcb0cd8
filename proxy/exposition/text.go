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

// textState is the part of a Reader that only text needs.
type textState struct {
	scan     scanner
	resolver resolver
	template template
	longest  int  // length of the longest line that the shortcuts take, with its newline
	done     bool // the line that ends OpenMetrics has been read
}

func (t *textState) reset(openMetrics bool, lineBytes int64) {
	t.done, t.scan.openMetrics = false, openMetrics
	t.longest = int(min(lineBytes+1, maxValueBytes))
	t.template.forget()
}

// labelText labels text until a chunk is full or the input ends.
func (r *Reader) labelText() error {
	for {
		if err := r.labelLines(); err != errShort {
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
		r.text.template.forget()
	}
}

// endText judges what is left when the input has ended. A text whose last line has no newline
// looks like one that was cut off.
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

// labelLines labels the lines in the buffer. It returns nil when a chunk is full. Bytes that do
// not change are copied as late as possible, many at a time: b has been copied up to from.
func (r *Reader) labelLines() error {
	b := r.in[:r.end]
	from, i := r.pos, r.pos
	var err error
	for {
		if r.shortcuts && !r.text.done {
			i, from = r.knownLines(b, i, from)
		}
		if len(r.out)+i-from >= r.full {
			break
		}
		var next, copied int
		if next, copied, err = r.scanLine(b, i, from); err != nil {
			break
		}
		i, from = next, copied
	}
	r.out = append(r.out, b[from:i]...)
	r.pos = i
	return err
}

// knownLines labels lines from i on that read like lines before them: in the last body, or in
// this one. It returns where the next line begins, and up to where b has been copied.
func (r *Reader) knownLines(b []byte, i, from int) (next, copied int) {
	for start := none; i > start; {
		start = i
		if r.cache.complete && bytes.HasPrefix(b[i:], []byte("# HELP ")) {
			i, from = r.reuse(b, i, from)
		}
		i, from = r.templateLines(b, i, from)
	}
	return i, from
}

// scanLine labels the line or sample at i. It returns where the next begins, and up to where b
// has been copied.
func (r *Reader) scanLine(b []byte, i, from int) (next, copied int, err error) {
	t, s := &r.text, &r.text.scan
	s.b, s.i, s.newlines = b, i, 0
	s.blanks()
	ok, isSample := true, false
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
		ok, isSample = s.sample(), true
	}
	switch {
	case !ok && s.short:
		return 0, 0, errShort
	case !ok:
		return 0, 0, r.syntax(s.newlines, s.what)
	case int64(s.i-i-1) > r.limits.LineBytes:
		return 0, 0, ErrTooLong
	}
	r.line += s.newlines + 1
	if isSample {
		from = r.labelSample(b, i, from)
	}
	return s.i, from, nil
}

// labelSample labels the sample that was scanned at i, and keeps what the shortcuts need.
func (r *Reader) labelSample(b []byte, i, from int) (copied int) {
	t, s := &r.text, &r.text.scan
	before := r.stats.Conflicts
	from = r.insertLabels(b, from)
	if r.cache.complete {
		value := r.plainValueStart(b)
		v := valueRef{int32(value), int32(s.i), int32(len(r.out) + value - from), 0, int32(r.stats.Conflicts - before)}
		r.cache.remember(v, r.line)
	}
	if s.newlines == 0 {
		t.template.setTemplate(b, i, &s.found, &t.resolver, r.labels)
	}
	return from
}

// plainValueStart returns where the value of the scanned sample begins, if it is plain and one
// blank stands before it. Otherwise it returns where the line ends.
func (r *Reader) plainValueStart(b []byte) int {
	s := &r.text.scan
	i := int(s.found.end)
	if s.found.braces && b[i] == '}' {
		i++
	}
	if plainValue(b, i, s.openMetrics) == s.i {
		return i + 1
	}
	return s.i
}

// insertLabels writes the scanned sample, with the labels, up to where they go, and returns that
// offset.
//
// Labels go after the last label, or after a quoted metric name: there they never stand before
// that name, and blanks and a trailing comma stay as they are. All series of a family get them at
// the same place. Prometheus needs this to pair a series with its _created series.
func (r *Reader) insertLabels(b []byte, from int) (copied int) {
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
	out = append(out, b[from:f.end]...)
	switch {
	case len(v.add) == 0:
	case !f.braces:
		out = append(out, r.labels.bare...)
	case len(v.add) == len(r.labels.list) && !f.empty:
		out = append(out, r.labels.more...)
	default:
		for n, i := range v.add {
			if n > 0 || !f.empty {
				out = append(out, ',')
			}
			out = append(out, r.labels.list[i].text...)
		}
	}
	r.out = out
	return int(f.end)
}
