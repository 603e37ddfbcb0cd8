package exposition

// Wire types of protobuf.
const (
	wireVarint     = 0
	wireFixed64    = 1
	wireBytes      = 2
	wireStartGroup = 3
	wireEndGroup   = 4
	wireFixed32    = 5
)

// field is where a field of a message is: the offset length of its length, after the tag, and
// its content from body to end. A field without a length has length equal to body. It has four
// words so that it is passed in registers.
type field struct{ tag, length, body, end int }

func (f field) number() int { return f.tag >> 3 }
func (f field) wire() int   { return f.tag & 7 }

// next returns the field of b at i; its end is 0 if it is malformed.
func next(b []byte, i int) field {
	if i+1 < len(b) && b[i]&0x87 == wireBytes && b[i] > 7 && b[i+1] < 0x80 {
		if end := i + 2 + int(b[i+1]); end <= len(b) {
			return field{int(b[i]), i + 1, i + 2, end}
		}
	}
	return nextAny(b, i)
}

// nextAny is next for a field of any form.
func nextAny(b []byte, i int) field {
	tag, n := uvarint(b, i)
	if n == 0 || tag>>3 == 0 || tag > 1<<32-1 {
		return field{}
	}
	f := field{tag: int(tag), length: n, body: n, end: n}
	switch f.wire() {
	case wireVarint:
		_, f.end = uvarint(b, n)
		return f
	case wireFixed64:
		f.end += 8
	case wireFixed32:
		f.end += 4
	case wireBytes:
		size, n := uvarint(b, n)
		if n == 0 || size > uint64(len(b)-n) {
			return field{}
		}
		f.body, f.end = n, n+int(size)
	case wireStartGroup:
		f.end = skipGroup(b, n)
	default:
		return field{}
	}
	if f.end > len(b) {
		return field{}
	}
	return f
}

// skipGroup returns the offset after the group whose content begins at i, or 0.
func skipGroup(b []byte, i int) int {
	for depth := 1; depth > 0; {
		tag, n := uvarint(b, i)
		if n == 0 {
			return 0
		}
		switch tag & 7 {
		case wireStartGroup:
			depth++
			i = n
		case wireEndGroup:
			depth--
			i = n
		default:
			if i = next(b, i).end; i == 0 {
				return 0
			}
		}
	}
	return i
}

// uvarint returns the varint of b at i and the offset after it, or 0 if it is
// cut or does not fit 64 bits.
func uvarint(b []byte, i int) (uint64, int) {
	if i < len(b) && b[i] < 0x80 {
		return uint64(b[i]), i + 1
	}
	var x uint64
	for shift := 0; i < len(b) && shift < 64; shift += 7 {
		c := b[i]
		i++
		if shift == 63 && c > 1 {
			return 0, 0
		}
		x |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return x, i
		}
	}
	return 0, 0
}

// uvarintSize returns the length of x as a varint.
func uvarintSize(x int) int {
	n := 1
	for ; x >= 0x80; x >>= 7 {
		n++
	}
	return n
}
