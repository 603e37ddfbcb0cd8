package exposition

import (
	"bytes"
	"unicode/utf8"
)

// comment scans a line that begins with #, after blanks, and its newline. HELP, TYPE and UNIT are
// checked as Prometheus does. OpenMetrics has no other comments. In Prometheus text a free comment
// may contain anything but NUL, at which Prometheus would stop reading without an error.
func (s *scanner) comment() bool {
	s.blanks()
	s.i++
	if s.openMetrics {
		if !s.take(' ') {
			return s.fail("bad comment")
		}
	} else {
		before := s.i
		if s.blanks(); s.i == before {
			return s.freeComment()
		}
	}
	switch {
	case s.keyword("HELP"):
		text, ok := s.metadata()
		return ok && (utf8.Valid(text) || s.fail("help text is not UTF-8"))
	case s.keyword("TYPE"):
		kind, ok := s.metadata()
		return ok && (isType(kind, s.openMetrics) || s.fail("unknown type"))
	case s.openMetrics && s.keyword("UNIT"):
		name := s.i
		unit, ok := s.metadata()
		return ok && (isUnit(s.b[name:s.i], unit) || s.fail("unit is not the suffix of the name"))
	case s.openMetrics:
		return s.fail("bad comment")
	}
	return s.freeComment()
}

// freeComment scans the rest of a comment that means nothing.
func (s *scanner) freeComment() bool {
	text, ok := s.restOfLine()
	return ok && (bytes.IndexByte(text, 0) < 0 || s.fail("NUL byte"))
}

// keyword skips word and the blanks after it, of which there must be one.
func (s *scanner) keyword(word string) bool {
	n := s.i + len(word)
	if n >= len(s.b) || string(s.b[s.i:n]) != word || !s.isBlank(s.b[n]) {
		return false
	}
	s.i = n + 1
	s.blanks()
	return true
}

func (s *scanner) isBlank(c byte) bool {
	return c == ' ' || c == '\t' && !s.openMetrics
}

// metadata scans a metric name, bare or quoted, one separator, and the text up to the newline,
// which it returns. OpenMetrics has a space as separator. Prometheus takes any byte for it in its
// own text, so that it reads "# HELP jvm.threads x" as the text "threads x" of jvm, and both
// separator and text may be missing. It does not check a quoted name.
func (s *scanner) metadata() ([]byte, bool) {
	if s.peek() == '"' {
		if _, _, ok := s.quoted(allowNewline | allowNonUTF8); !ok {
			return nil, false
		}
	} else if !s.identifier(metricByte) {
		return nil, s.fail("no metric name")
	}
	switch c := s.peek(); {
	case s.openMetrics && c != ' ':
		return nil, s.fail("no space after a metric name")
	case c == 0:
		return nil, s.fail("NUL byte")
	case c == '\n':
		s.i++
		return nil, true
	}
	s.i++
	return s.restOfLine()
}

// isType reports whether t is the type of a TYPE line.
func isType(t []byte, openMetrics bool) bool {
	switch string(t) {
	case "counter", "gauge", "histogram", "summary":
		return true
	case "untyped":
		return !openMetrics
	case "gaugehistogram", "info", "stateset", "unknown":
		return openMetrics
	}
	return false
}

// isUnit reports whether the metric name at the start of line, a UNIT line, ends in an underscore
// and unit. An empty unit fits every name.
func isUnit(line, unit []byte) bool {
	if len(unit) == 0 {
		return true
	}
	name := line[:len(line)-len(unit)-2] // a space and a newline
	if n := len(name); name[0] == '"' {
		name = name[1 : n-1]
	}
	before, ok := bytes.CutSuffix(name, unit)
	return ok && bytes.HasSuffix(before, []byte("_"))
}
