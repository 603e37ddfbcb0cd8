package upstream

import (
	"bufio"
	"io"
)

// sizedBody reads a body whose length is known (RFC 9112 section 6.2). One that breaks off
// is io.ErrUnexpectedEOF.
type sizedBody struct {
	in   *bufio.Reader
	left int64
	err  error
}

// Read implements io.Reader. The end comes with the last byte.
func (s *sizedBody) Read(p []byte) (n int, err error) {
	if s.err == nil && s.left > 0 && len(p) > 0 {
		n, err = s.in.Read(p[:min(int64(len(p)), s.left)])
		s.left -= int64(n)
		s.err = within(err)
	}
	if s.err == nil && s.left == 0 {
		s.err = io.EOF
	}
	return n, s.err
}

// within is err when it came within a body.
func within(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
