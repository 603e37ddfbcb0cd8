package proxy

import (
	"bytes"
	"io"
)

// AtHand returns what is left of the body, if all of that has come and is no more than most
// bytes, with what is around it. It has been read then, and is valid until the answer is
// closed. Otherwise nothing has happened.
func (a *answer) AtHand(most int) (p []byte, ok bool) {
	if a.link.in.Buffered() > most {
		return nil, false
	}
	switch body := a.body.(type) {
	case *chunkedBody:
		p, ok = body.atHand()
	case *sizedBody:
		p, ok = body.atHand()
	}
	a.drained = a.drained || ok
	return p, ok
}

// atHand is all of the body, moved together in the buffer, if nothing of it has been read, and
// the buffer has it to the end, nothing behind it, and little beside the data.
func (c *chunkedBody) atHand() (p []byte, ok bool) {
	b, _ := c.in.Peek(c.in.Buffered())
	if c.left > 0 || c.ends || c.last || c.err != nil || !chunks(b, func([]byte) {}) {
		return nil, false
	}
	p = b[:0] // its bytes have been passed when others take their place
	chunks(b, func(data []byte) { p = append(p, data...) })
	_, _ = c.in.Discard(len(b)) // buffered
	c.last, c.err = true, io.EOF
	return p, true
}

// chunks hands out the data of each chunk of b, and reports whether b is exactly a body in
// chunks, with short lines between them and an empty trailer section.
func chunks(b []byte, take func(data []byte)) bool {
	for {
		end := bytes.IndexByte(b[:min(len(b), chunkExcess)], '\n') + 1
		size, err := chunkSize(b[:end])
		if err != nil {
			return false
		}
		if b = b[end:]; size > int64(len(b)) {
			return false
		}
		data, rest := b[:size], b[size:]
		if !bytes.HasPrefix(rest, []byte("\r\n")) {
			return false
		}
		if b = rest[2:]; size == 0 {
			return len(b) == 0
		}
		take(data)
	}
}

// atHand is all of the body, if that and nothing else is in the buffer.
func (s *sizedBody) atHand() (p []byte, ok bool) {
	if s.err != nil || s.left != int64(s.in.Buffered()) {
		return nil, false
	}
	p, _ = s.in.Peek(int(s.left))
	_, _ = s.in.Discard(len(p)) // buffered
	s.left, s.err = 0, io.EOF
	return p, true
}
