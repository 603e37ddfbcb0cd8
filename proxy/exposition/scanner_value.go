package exposition

// value scans the value of a sample or exemplar and the blank before it. In Prometheus text the
// blank may be missing, as in {a="b"}1 or m+1.
func (s *scanner) value() bool {
	if s.openMetrics && !s.take(' ') {
		return s.fail("no space before a value")
	}
	s.blanks()
	token := s.token()
	if s.i >= len(s.b) {
		return s.fail("no newline")
	}
	return isFloat(token) || s.fail("bad value")
}

// end scans what follows the value of a sample, up to and with the newline.
func (s *scanner) end() bool {
	if s.openMetrics {
		return s.endOpenMetrics()
	}
	if s.blanks(); s.take('\n') {
		return true
	}
	token := s.token()
	if s.i >= len(s.b) {
		return s.fail("no newline")
	}
	if !isMilliseconds(token) {
		return s.fail("bad timestamp")
	}
	s.blanks()
	return s.take('\n') || s.fail("more after a timestamp")
}

// endOpenMetrics scans a timestamp and an exemplar, both optional.
func (s *scanner) endOpenMetrics() bool {
	if s.take('\n') {
		return true
	}
	if !s.take(' ') {
		return s.fail("no space after a value")
	}
	if s.peek() != '#' {
		if !s.seconds() {
			return false
		}
		if s.take('\n') {
			return true
		}
		if !s.take(' ') {
			return s.fail("no space after a timestamp")
		}
	}
	if !s.take('#') || !s.take(' ') || s.peek() != '{' {
		return s.fail("bad exemplar")
	}
	s.exemplar = sample{spans: s.exemplar.spans[:0], named: true}
	if !s.labels(&s.exemplar) || !s.value() {
		return false
	}
	if s.take('\n') {
		return true
	}
	if !s.take(' ') {
		return s.fail("no space after an exemplar's value")
	}
	return s.seconds() && (s.take('\n') || s.fail("more after an exemplar"))
}

// seconds scans a timestamp of OpenMetrics.
func (s *scanner) seconds() bool {
	token := s.token()
	if s.i >= len(s.b) {
		return s.fail("no newline")
	}
	return isSeconds(token) || s.fail("bad timestamp")
}
