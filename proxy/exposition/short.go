package exposition

const (
	blockBytes = 64             // copied at a time by moves of fixed size, not by a call that has to find out how many
	slack      = 4 * blockBytes // up to where blocks may reach behind what is copied
)

// block copies a block of b from i on to out at w.
func block(out []byte, w int, b []byte, i int) {
	x, y := b[i:i+blockBytes:i+blockBytes], out[w:w+blockBytes:w+blockBytes]
	*(*[16]byte)(y) = *(*[16]byte)(x)
	*(*[16]byte)(y[16:]) = *(*[16]byte)(x[16:])
	*(*[16]byte)(y[32:]) = *(*[16]byte)(x[32:])
	*(*[16]byte)(y[48:]) = *(*[16]byte)(x[48:])
}

// short is a text, most often short, that is appended very often.
type short struct {
	text   []byte
	padded [blockBytes]byte
}

func (s *short) reset() { s.text = s.text[:0] }

// add appends parts to the text.
func (s *short) add(parts ...string) {
	for _, part := range parts {
		s.text = append(s.text, part...)
	}
	copy(s.padded[:], s.text)
}

// put writes the text to out at w, with up to a block behind it, and returns where it ends.
func (s *short) put(out []byte, w int) int {
	if len(s.text) > blockBytes {
		return w + copy(out[w:], s.text)
	}
	block(out, w, s.padded[:], 0)
	return w + len(s.text)
}
