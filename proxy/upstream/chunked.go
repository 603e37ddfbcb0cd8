package upstream

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/textproto"
)

// Bounds of what a chunked body may hold beside its data. Those of lines and excess are
// net/http's.
const (
	sizeDigits   = 15       // of a chunk's size: less than 1 EiB
	sizeBytes    = 4 << 10  // line with a chunk's size and extensions, less than this
	chunkExcess  = 16       // bytes for each chunk that are no data and count for nothing
	mostExcess   = 16 << 10 // what a body may have beyond that and twice its data
	trailerBytes = 4 << 10  // trailer section with the empty line after it, less than this
)

// What is wrong with a chunked body.
var (
	errChunkSize   = errors.New("chunk size that is no number in bounds")
	errChunkLine   = errors.New("chunk size line without a proper end")
	errChunkEnd    = errors.New("chunk longer than its size")
	errChunkExcess = errors.New("chunks with too much beside data")
	errTrailer     = errors.New("trailer section malformed or too long")
)

// chunkedBody reads a body in chunks (RFC 9112 section 7.1) as net/http does, but over all
// chunks that are buffered at once. It refuses what net/http refuses, and also a size of
// more than 15 digits and a trailer section that is no good as a head, is folded, or is
// longer than 4 KiB. A body that breaks off is io.ErrUnexpectedEOF, within the trailer
// section too.
type chunkedBody struct {
	in     *bufio.Reader
	left   int64 // of the chunk's data
	excess int64
	ends   bool // the CRLF after a chunk's data is due
	last   bool // the trailer section is due
	err    error
}

// Read implements io.Reader. It waits only for the first byte.
func (c *chunkedBody) Read(p []byte) (n int, err error) {
	for n < len(p) && c.err == nil {
		switch {
		case n > 0 && !c.ready():
			return n, nil
		case c.left > 0:
			var got int
			got, err = c.in.Read(p[n:min(int64(len(p)), int64(n)+c.left)])
			n += got
			c.left -= int64(got)
			c.err = within(err)
		case c.last:
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
	case c.left > 0:
		return len(b) > 0
	case c.last:
		return bytes.HasPrefix(b, []byte("\r\n")) || bytes.Contains(b, []byte("\r\n\r\n"))
	case c.ends:
		b = b[min(len(b), 2):]
	}
	return bytes.IndexByte(b, '\n') >= 0
}

// next reads up to the data of the next chunk, or to the trailer section.
func (c *chunkedBody) next() error {
	if c.ends {
		end, err := c.in.Peek(2)
		if err != nil {
			return within(err)
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
		return within(err)
	}
	size, err := chunkSize(line)
	if err != nil {
		return err
	}
	// Whoever sends little data in many chunks or long extensions costs more than what
	// is counted against the limit of the body.
	c.excess = max(0, c.excess+int64(len(line))-chunkExcess-2*size)
	if c.excess > mostExcess {
		return errChunkExcess
	}
	c.left, c.ends, c.last = size, size > 0, size == 0
	return nil
}

// chunkSize is what the line before a chunk says. Extensions are skipped: nobody has
// a use for them. A bare CR or LF could be the end of the line to another reader.
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

// trailer reads the trailer section and the empty line after it, which is io.EOF. The
// fields are judged like those of a head, and forgotten (RFC 9112 section 7.1.2).
func (c *chunkedBody) trailer() error {
	b, err := c.in.Peek(2)
	if err != nil {
		return within(err)
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
			return within(err)
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
