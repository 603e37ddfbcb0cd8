package exposition

import "bytes"

// comment scans a line that begins with #, after blanks, and its newline. The
// text of HELP is free; TYPE and UNIT are held to what Prometheus takes.
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
			_, ok := s.rest()
			return ok
		}
	}
	switch {
	case s.keyword("HELP"):
		_, ok := s.metadata()
		return ok
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
	_, ok := s.rest()
	return ok
}

// keyword skips word and the blanks behind it, of which there must be one.
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

// metadata scans a metric name, bare or quoted, one blank, and the text up to
// the newline, which it returns. Text and blank may be missing in Prometheus text.
func (s *scanner) metadata() ([]byte, bool) {
	if s.peek() == '"' {
		if start, end, ok := s.quoted(true); !ok || start == end {
			return nil, ok && s.fail("empty name")
		}
	} else if !s.identifier(metricByte) {
		return nil, s.fail("no metric name")
	}
	if c := s.peek(); !s.isBlank(c) {
		if c == '\n' && !s.openMetrics {
			s.i++
			return nil, true
		}
		return nil, s.fail("no blank after a metric name")
	}
	s.i++
	return s.rest()
}

// isType reports whether a TYPE line may say t.
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

// isUnit reports whether the metric name at the start of line, of a UNIT line,
// ends in unit after an underscore. No unit is a suffix of every name.
func isUnit(line, unit []byte) bool {
	if len(unit) == 0 {
		return true
	}
	name := line[:len(line)-len(unit)-2] // a blank and a newline
	if n := len(name); name[0] == '"' {
		name = name[1 : n-1]
	}
	before, ok := bytes.CutSuffix(name, unit)
	return ok && bytes.HasSuffix(before, []byte("_"))
}
