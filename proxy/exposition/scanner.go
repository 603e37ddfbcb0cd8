package exposition

import "unicode/utf8"

// span is where a label is in its sample. In text, name and value are the offsets of what is
// between the quotes; in protobuf, of the strings of a LabelPair.
type span struct {
	start           int32 // of the label: its name, the quote before its name, or the tag of the LabelPair
	name, nameEnd   int32
	value, valueEnd int32
}

// empty reports whether the label has no value.
func (s span) empty() bool { return s.value == s.valueEnd }

// sample is a sample, or an exemplar, as the scanner found it. Offsets are relative to the
// scanner's bytes.
type sample struct {
	spans     []span
	nameStart int32 // where a bare metric name begins
	end       int32 // where further labels go: after the last label or the name
	named     bool  // the metric name was found; an exemplar has none
	braces    bool  // there are braces
	empty     bool  // nothing is between the opening brace and end
}

// scanner checks text by the whole grammar, one line or sample at a time. A method that returns
// false has set what to the fault. If the bytes end before the fault, it has also set short: with
// more bytes there may be no fault.
type scanner struct {
	b           []byte
	i           int
	openMetrics bool
	newlines    int64 // newlines between quotes
	what        string
	short       bool
	found       sample
	exemplar    sample // checked, never changed
	escapes     bool   // a name of the sample has a backslash
	order       []span // memory for distinct
}

// fail records a fault at s.i.
func (s *scanner) fail(what string) bool {
	s.what = what
	s.short = s.i >= len(s.b)
	return false
}

// peek returns the next byte, or NUL at the end of the bytes.
func (s *scanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

// take skips c if it comes next.
func (s *scanner) take(c byte) bool {
	if s.i >= len(s.b) || s.b[s.i] != c {
		return false
	}
	s.i++
	return true
}

// blanks skips spaces and tabs. They mean nothing in Prometheus text, and are faults in
// OpenMetrics.
func (s *scanner) blanks() {
	if s.openMetrics {
		return
	}
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\t') {
		s.i++
	}
}

// identifier skips a bare name: bytes of a class, no digit first.
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

// quoteRules says what a quoted string may contain in addition to UTF-8 without newline and NUL.
type quoteRules int

const (
	allowNewline quoteRules = 1 << iota
	allowNUL                // but not after a backslash: to Prometheus \NUL" is an escaped quote
	allowNonUTF8
)

// quoted skips a quoted string and returns the offsets of what is between the quotes, which is
// still escaped. A backslash escapes any byte but a newline and NUL.
func (s *scanner) quoted(rules quoteRules) (start, end int, ok bool) {
	if !s.take('"') {
		return 0, 0, s.fail("no quote")
	}
	start = s.i
	if end = asciiString(s.b, start); end > 0 {
		s.i = end + 1
		return start, end, true
	}
	for {
		for s.i < len(s.b) && class[s.b[s.i]]&plainByte != 0 {
			s.i++
		}
		switch c := s.peek(); {
		case s.i >= len(s.b):
			return 0, 0, s.fail("unterminated quote")
		case c == '"':
			if rules&allowNonUTF8 == 0 && !utf8.Valid(s.b[start:s.i]) {
				s.i = start
				return 0, 0, s.fail("invalid UTF-8")
			}
			s.i++
			return start, s.i - 1, true
		case c == '\\':
			s.i++
			if c := s.peek(); c == 0 || c == '\n' {
				return 0, 0, s.fail("bad escape")
			}
		case c == '\n' && rules&allowNewline != 0:
			s.newlines++
		case c == '\n':
			return 0, 0, s.fail("unterminated quote")
		case c == 0 && rules&allowNUL == 0:
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

// restOfLine skips the rest of the line and its newline, and returns the former.
func (s *scanner) restOfLine() ([]byte, bool) {
	start := s.i
	if s.i = lineEnd(s.b, s.i); s.i == 0 {
		s.i = len(s.b)
		return nil, s.fail("no newline")
	}
	return s.b[start : s.i-1], true
}
