package upstream

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/textproto"
)

// Limits of what a chunked body may hold apart from its data. Those of lines and excess are
// net/http's.
const (
	sizeDigits    = 15       // of a chunk's size: below 1 EiB
	sizeBytes     = 4 << 10  // line with a chunk's size and extensions, below this
	chunkOverhead = 16       // bytes per chunk that do not count as excess
	maxExcess     = 16 << 10 // bytes beyond chunkOverhead and twice the data
	trailerBytes  = 4 << 10  // trailer section with the empty line after it, below this
)

// What is wrong with a chunked body.
var (
	errChunkSize   = errors.New("chunk size is not a number in bounds")
	errChunkLine   = errors.New("chunk size line without a proper end")
	errChunkEnd    = errors.New("chunk longer than its size")
	errChunkExcess = errors.New("chunks with too little data")
	errTrailer     = errors.New("trailer section malformed or too long")
)

// chunkedBody reads a body in chunks (RFC 9112 section 7.1) as net/http does, but all
// chunks that are buffered at once. It refuses what net/http refuses, and also a size of
// more than 15 digits, and a trailer section that is folded, longer than 4 KiB, or refused
// by checkFields. A body that breaks off, within the trailer section too, is
// io.ErrUnexpectedEOF.
type chunkedBody struct {
	in          *bufio.Reader
	remaining   int64 // bytes of the chunk's data
	excess      int64
	needCRLF    bool // the CRLF after the chunk's data comes next
	needTrailer bool // the trailer section comes next
	err         error
}

// Read implements io.Reader. It waits only for the first byte.
func (c *chunkedBody) Read(p []byte) (n int, err error) {
	for n < len(p) && c.err == nil {
		switch {
		case n > 0 && !c.ready():
			return n, nil
		case c.remaining > 0:
			var got int
			got, err = c.in.Read(p[n:min(int64(len(p)), int64(n)+c.remaining)])
			n += got
			c.remaining -= int64(got)
			c.err = bodyEOF(err)
		case c.needTrailer:
			c.err = c.trailer()
		default:
			c.err = c.next()
		}
	}
	return n, c.err
}

// ready reports whether enough is buffered to go on without waiting.
func (c *chunkedBody) ready() bool {
	b, _ := c.in.Peek(c.in.Buffered())
	switch {
	case c.remaining > 0:
		return len(b) > 0
	case c.needTrailer:
		return bytes.HasPrefix(b, []byte("\r\n")) || bytes.Contains(b, []byte("\r\n\r\n"))
	case c.needCRLF:
		b = b[min(len(b), 2):]
	}
	return bytes.IndexByte(b, '\n') >= 0
}

// next reads up to the data of the next chunk, or to the trailer section.
func (c *chunkedBody) next() error {
	if c.needCRLF {
		end, err := c.in.Peek(2)
		if err != nil {
			return bodyEOF(err)
		}
		if string(end) != "\r\n" {
			return errChunkEnd
		}
		_, _ = c.in.Discard(2) // buffered
	}
	line, err := c.in.ReadSlice('\n')
	if err == bufio.ErrBufferFull || len(line)-2 >= sizeBytes {
		return errChunkLine
	}
	if err != nil {
		return bodyEOF(err)
	}
	size, err := chunkSize(line)
	if err != nil {
		return err
	}
	// The limit of a body counts its data only. Tiny chunks and long extensions cost work
	// that it does not see.
	c.excess = max(0, c.excess+int64(len(line))-chunkOverhead-2*size)
	if c.excess > maxExcess {
		return errChunkExcess
	}
	c.remaining, c.needCRLF, c.needTrailer = size, size > 0, size == 0
	return nil
}

// chunkSize parses the line before a chunk. Extensions are skipped. A bare CR or LF could
// end the line for another reader, and is an error.
func chunkSize(line []byte) (size int64, err error) {
	if bytes.IndexByte(line, '\r') != len(line)-2 || len(line) < 2 {
		return 0, errChunkLine
	}
	digits, _, extended := bytes.Cut(line[:len(line)-2], []byte(";"))
	if !extended {
		digits = bytes.TrimRight(digits, " \t")
	}
	if len(digits) == 0 || len(digits) > sizeDigits {
		return 0, errChunkSize
	}
	for _, d := range digits {
		switch {
		case '0' <= d && d <= '9':
			d -= '0'
		case 'a' <= d && d <= 'f':
			d -= 'a' - 10
		case 'A' <= d && d <= 'F':
			d -= 'A' - 10
		default:
			return 0, errChunkSize
		}
		size = size<<4 | int64(d)
	}
	return size, nil
}

// trailer reads the trailer section and the empty line after it, and returns io.EOF. The
// fields are checked like those of a head, and dropped (RFC 9112 section 7.1.2).
func (c *chunkedBody) trailer() error {
	b, err := c.in.Peek(2)
	if err != nil {
		return bodyEOF(err)
	}
	if string(b) == "\r\n" {
		_, _ = c.in.Discard(2) // buffered
		return io.EOF
	}
	for {
		b, _ = c.in.Peek(min(c.in.Buffered(), trailerBytes))
		if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
			b = b[:i+4]
			break
		}
		if len(b) == trailerBytes {
			return errTrailer
		}
		if _, err := c.in.Peek(len(b) + 1); err != nil {
			return bodyEOF(err)
		}
	}
	if checkFields(b) != nil {
		return errTrailer
	}
	if _, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(b))).ReadMIMEHeader(); err != nil {
		return errTrailer
	}
	_, _ = c.in.Discard(len(b)) // buffered
	return io.EOF
}

// sizedBody reads a body with a Content-Length (RFC 9112 section 6.2). A body that breaks
// off is io.ErrUnexpectedEOF.
type sizedBody struct {
	in        *bufio.Reader
	remaining int64
	err       error
}

// Read implements io.Reader. The end comes with the last byte.
func (s *sizedBody) Read(p []byte) (n int, err error) {
	if s.err == nil && s.remaining > 0 && len(p) > 0 {
		n, err = s.in.Read(p[:min(int64(len(p)), s.remaining)])
		s.remaining -= int64(n)
		s.err = bodyEOF(err)
	}
	if s.err == nil && s.remaining == 0 {
		s.err = io.EOF
	}
	return n, s.err
}

// bodyEOF is err for a reader within a body, where the end is unexpected.
func bodyEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
