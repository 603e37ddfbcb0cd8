package exposition

// shortBytes is the length up to which a text is copied by a few moves of fixed
// size, instead of a call that has to find out how many.
const shortBytes = 64

// short is a text, most often short, that is appended very often.
type short struct {
	text   []byte
	padded [shortBytes]byte
}

func (s *short) reset() { s.text = s.text[:0] }

// add appends parts to the text.
func (s *short) add(parts ...string) {
	for _, part := range parts {
		s.text = append(s.text, part...)
	}
	copy(s.padded[:], s.text)
}

// appendTo appends the text to b.
func (s *short) appendTo(b []byte) []byte {
	if len(s.text) > shortBytes {
		return append(b, s.text...)
	}
	n := len(b) + len(s.text)
	return append(b, s.padded[:]...)[:n]
}
