package exposition

import "unicode/utf8"

// span is where a label stands in its sample: the text between the quotes, or
// the strings of a LabelPair.
type span struct {
	start           int32 // of the label: its name or the quote before it; the LabelPair's tag
	name, nameEnd   int32
	value, valueEnd int32
}

// empty reports whether the label has no value.
func (s span) empty() bool { return s.value == s.valueEnd }

// sample is a sample, or an exemplar, as the scanner found it. Offsets are into
// the scanner's bytes.
type sample struct {
	spans     []span
	nameStart int32 // where a bare metric name begins
	end       int32 // where further labels go: after the last label or the name
	named     bool  // the metric name has been found; an exemplar has none
	braces    bool  // there are braces
	empty     bool  // nothing stands between the opening brace and end
}

// scanner walks text strictly, one line or sample at a time. A method that
// reports false has set what, unless the bytes end before the fault: then
// short is set and more bytes may mend it.
type scanner struct {
	b           []byte
	i           int
	openMetrics bool
	newlines    int64 // within quotes
	what        string
	short       bool
	found       sample
	exemplar    sample // checked, never touched
	escapes     bool   // a name of the sample has a backslash
	order       []span // scratch of unique
}

// fail records a fault at s.i. NUL has no place in text, so it marks the end of
// the bytes too.
func (s *scanner) fail(what string) bool {
	s.what = what
	s.short = s.i >= len(s.b)
	return false
}

// peek returns the next byte, or NUL at the end.
func (s *scanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

// take skips c if it comes next.
func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.i++
	return true
}

// blanks skips spaces and tabs, which mean nothing in Prometheus text and are
// faults in OpenMetrics.
func (s *scanner) blanks() {
	if s.openMetrics {
		return
	}
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\t') {
		s.i++
	}
}

// identifier skips a name of bytes of the class bit.
func (s *scanner) identifier(bit byte) bool {
	b, i := s.b, s.i
	if class[s.peek()]&digitByte != 0 {
		return false
	}
	for i < len(b) && class[b[i]]&bit != 0 {
		i++
	}
	start := s.i
	s.i = i
	return i > start
}

// quoted skips a quoted string and returns what is between the quotes, still
// escaped. A backslash takes any byte but a newline with it.
func (s *scanner) quoted(newlines bool) (start, end int, ok bool) {
	if !s.take('"') {
		return 0, 0, s.fail("no quote")
	}
	start = s.i
	if end = asciiString(s.b, start); end > 0 {
		s.i = end + 1
		return start, end, true
	}
	ascii := true
	for {
		for s.i < len(s.b) && class[s.b[s.i]]&plainByte != 0 {
			s.i++
		}
		switch c := s.peek(); {
		case c == '"':
			if !ascii && !utf8.Valid(s.b[start:s.i]) {
				s.i = start
				return 0, 0, s.fail("invalid UTF-8")
			}
			s.i++
			return start, s.i - 1, true
		case c >= utf8.RuneSelf:
			ascii = false
		case c == '\\':
			s.i++
			if c := s.peek(); c == 0 || c == '\n' {
				return 0, 0, s.fail("bad escape")
			} else if c >= utf8.RuneSelf {
				ascii = false
			}
		case c == '\n' && newlines:
			s.newlines++
		case c == '\n':
			return 0, 0, s.fail("unterminated quote")
		default:
			return 0, 0, s.fail("NUL byte")
		}
		s.i++
	}
}

// token skips everything up to a blank or newline and returns it.
func (s *scanner) token() []byte {
	b, i := s.b, s.i
	for i < len(b) && b[i] != '\n' && b[i] != ' ' && (s.openMetrics || b[i] != '\t' && b[i] != '{') {
		i++
	}
	start := s.i
	s.i = i
	return b[start:i]
}

// rest skips the rest of the line and its newline, and returns the former.
func (s *scanner) rest() ([]byte, bool) {
	start := s.i
	if s.i = lineEnd(s.b, s.i); s.i == 0 {
		s.i = len(s.b)
		return nil, s.fail("no newline")
	}
	if line := s.b[start : s.i-1]; valid(line) {
		return line, true
	}
	s.i = start
	return nil, s.fail("invalid UTF-8 or NUL byte")
}
