package exposition

import "unicode/utf8"

// schema returns the kinds of the fields of a message of io.prometheus.client, by number: v is a
// varint, d a double, b bytes or a string, p packed varints, q packed doubles, a capital letter another
// message, - no known field.
func schema(message byte) string {
	switch message {
	case 'F': // MetricFamily
		return "-bbvMb"
	case 'M': // Metric
		return "-LGCSGvH"
	case 'L': // LabelPair of an exemplar
		return "-bb"
	case 'G': // Gauge, Untyped
		return "-d"
	case 'C': // Counter
		return "-dET"
	case 'S': // Summary
		return "-vdQT"
	case 'Q': // Quantile
		return "-dd"
	case 'H': // Histogram
		return "-vdBdvdvdNpqNpqTE"
	case 'B': // Bucket
		return "-vdEd"
	case 'N': // BucketSpan
		return "-vv"
	case 'E': // Exemplar
		return "-LdT"
	case 'T': // google.protobuf.Timestamp
		return "-vv"
	}
	return ""
}

// check reports whether b is a well-formed message with these fields, with all messages in it.
// Unknown fields may hold anything.
func check(b []byte, fields string) bool {
	for i := 0; i < len(b); {
		// The common field has a tag of one byte, and a length of one.
		if tag := b[i]; tag < 0x80 && int(tag>>3) < len(fields) && i+1 < len(b) {
			switch kind := fields[tag>>3]; {
			case kind == 'd' && tag&7 == wireFixed64:
				if i += 9; i > len(b) {
					return false
				}
				continue
			case kind == 'v' && tag&7 == wireVarint:
				if _, i = uvarint(b, i+1); i == 0 {
					return false
				}
				continue
			case kind < 'a' && kind != '-' && tag&7 == wireBytes && b[i+1] < 0x80:
				from := i + 2
				i = from + int(b[i+1])
				if i > len(b) || !check(b[from:i], schema(kind)) {
					return false
				}
				continue
			}
		}
		f := next(b, i)
		if f.end == 0 || !f.conforms(b, fields) {
			return false
		}
		i = f.end
	}
	return true
}

// conforms reports whether the field is of the kind that fields has for its number.
func (f field) conforms(b []byte, fields string) bool {
	return f.number() >= len(fields) || f.is(b, fields[f.number()])
}

// is reports whether the field is of a kind of schema.
func (f field) is(b []byte, kind byte) bool {
	content := b[f.body:f.end]
	switch kind {
	case '-':
		return true
	case 'v':
		return f.wire() == wireVarint
	case 'd':
		return f.wire() == wireFixed64
	case 'b':
		return f.wire() == wireBytes
	case 'p':
		return f.wire() == wireVarint || f.wire() == wireBytes && packed(content)
	case 'q':
		return f.wire() == wireFixed64 || f.wire() == wireBytes && len(content)%8 == 0
	}
	return f.wire() == wireBytes && check(content, schema(kind))
}

// packed reports whether b is a sequence of varints.
func packed(b []byte) bool {
	for i := 0; i < len(b); {
		if _, i = uvarint(b, i); i == 0 {
			return false
		}
	}
	return true
}

// isString reports whether b may be a name or value of a label: it is UTF-8, and shorter than
// what Prometheus panics on.
func isString(b []byte) bool { return len(b) < maxValueBytes && utf8.Valid(b) }
