package exposition

import (
	"bytes"
	"io"
)

const (
	cacheRefs      = 1024 // samples of a body whose values are remembered
	cacheLookahead = 128  // samples that may be missing from the body between two families
)

// scrapeCache holds the last complete text body and its labelled form. Between two scrapes
// usually only sample values change. The labelled form of a line, apart from its value,
// depends only on the bytes before the value, so text that has not changed is copied from the
// labelled form of the last body.
//
// The values of its samples divide a body into segments: a segment is the text between the end
// of one sample and the value of the next, with all comments in between.
type scrapeCache struct {
	body, out []byte     // the last body and its labelled form; refs is empty if there is none
	refs      []valueRef // the samples of body, in order, up to cacheRefs of them
	settings  settings   // the settings that out was made with
	expected  int        // the segment that should come next

	// Of the body being read:
	newRefs     []valueRef
	newSettings settings
	newLine     int64 // lines up to the last of newRefs
	complete    bool  // the body is in the input buffer from its beginning, and its labelled form in out
}

// settings are what the labelled form of a body depends on.
type settings struct {
	labels *Labels
	kind   kind
	limits Limits
}

// valueRef is where a sample has its value. A value that is not a plain number belongs to the
// text before it: then value equals next.
type valueRef struct {
	value, next int32 // offsets in the body of the value, and of the line after it
	out         int32 // offset of the value in the labelled form
	lines       int32 // lines since the sample before
	conflicts   int32 // labels of the sample that conflicted
}

// outNext returns the offset of the next line in the labelled form.
func (v *valueRef) outNext() int { return int(v.out + v.next - v.value) }

// rotate makes the body that r has read the last body, if it is complete and text, and begins
// with another one.
func (r *Reader) rotate(next settings) {
	c := &r.cache
	if c.complete && r.err == io.EOF {
		c.body, r.in = r.in, c.body
		c.out, r.out = r.out, c.out
		c.refs, c.newRefs = c.newRefs, c.refs
		c.settings = c.newSettings
	} else if r.read > 0 {
		c.refs = c.refs[:0] // reuse has changed out
	}
	c.newRefs, c.newSettings, c.newLine = c.newRefs[:0], next, 0
	c.complete = r.shortcuts && next.kind != kindProtobuf
	c.expected = 0
	if c.settings != next {
		c.expected = len(c.refs)
	}
}

// remember records a sample of the body being read. line is the number of lines up to its end.
func (c *scrapeCache) remember(v valueRef, line int64) {
	if len(c.newRefs) < cacheRefs {
		v.lines = int32(line - c.newLine)
		c.newLine = line
		c.newRefs = append(c.newRefs, v)
	}
}

// start returns where segment n begins, in the last body and in its labelled form.
func (c *scrapeCache) start(n int) (body, out int) {
	if n == 0 {
		return 0, 0
	}
	v := &c.refs[n-1]
	return int(v.next), v.outNext()
}

// find returns the next segment that begins with the first line of b, or none.
func (c *scrapeCache) find(b []byte) int {
	line := b[:bytes.IndexByte(b, '\n')+1]
	if len(line) == 0 {
		return none
	}
	for n := c.expected; n < min(len(c.refs), c.expected+cacheLookahead); n++ {
		if at, _ := c.start(n); bytes.HasPrefix(c.body[at:], line) {
			return n
		}
	}
	return none
}

// reuse labels the lines of b from i on, as far as they differ from the last body only in
// values. b has been copied up to from. It returns where the next line begins, which is i if
// no line could be reused, and up to where b has been copied now.
func (r *Reader) reuse(b []byte, i, from int) (next, copied int) {
	c := &r.cache
	n := c.find(b[i:])
	if n == none {
		return i, from
	}
	start := i
	at, done := c.start(n) // i in the last body; c.out has been copied up to done
	for ; n < len(c.refs); n++ {
		v := &c.refs[n]
		value := i + int(v.value) - at
		if value > len(b) || string(b[i:value]) != string(c.body[at:v.value]) {
			break
		}
		next := value
		if v.next > v.value {
			next = r.plainValue(b, value-1)
		}
		if next == 0 || next-i > r.text.longest || len(r.out)+int(v.out)-done >= r.full {
			break
		}
		if i == start {
			r.out = append(r.out, b[from:i]...)
		}
		ref := valueRef{int32(value), int32(next), int32(len(r.out) + int(v.out) - done), 0, v.conflicts}
		if next-value == int(v.next-v.value) {
			copy(c.out[v.out:], b[value:next])
		} else {
			r.out = append(append(r.out, c.out[done:v.out]...), b[value:next]...)
			done = v.outNext()
		}
		r.line += int64(v.lines)
		r.stats.Samples++
		r.stats.Conflicts += int64(v.conflicts)
		c.remember(ref, r.line)
		i, at = next, int(v.next)
	}
	c.expected = n
	if i == start {
		return i, from
	}
	_, end := c.start(n)
	if len(r.out) == 0 && done == 0 && n == len(c.refs) {
		c.out, r.out = r.out, c.out[:end] // nothing else of the last body will be needed
	} else {
		r.out = append(r.out, c.out[done:end]...)
	}
	return i, i
}
