package upstream

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

// maxContentType is the longest Content-Type that is accepted, in bytes.
const maxContentType = 256

// Response is an answer with status 200 and a body whose end can be known. The caller reads
// the body and must call Close.
type Response struct {
	ContentType string    // short and printable
	Disposition string    // Content-Disposition; empty: none
	body        io.Reader // chunks or sized
	chunks      chunkedBody
	sized       sizedBody
	conn        *runnerConn
	client      *Client
	exchange    *Exchange
	cached      bool // the head was that of the answer before
	closes      bool // the connection carries nothing after this
	drained     bool // the body was read to its end
	closed      bool
}

// setBody makes r read a body of length bytes, or in chunks if length is below 0.
func (r *Response) setBody(length int64) {
	if length < 0 {
		r.chunks.in = r.conn.in
		r.body = &r.chunks
		return
	}
	r.sized.in, r.sized.remaining = r.conn.in, length
	r.body = &r.sized
}

// validate refuses what is no plain 200 with a body whose end can be known.
func (r *Response) validate(res *http.Response) error {
	kind := res.Header["Content-Type"]
	switch {
	case res.StatusCode != http.StatusOK:
		return Errorf(ReasonStatus, "status %d", res.StatusCode)
	case !isIdentity(res.Header["Content-Encoding"]):
		return Errorf(ReasonEncoding, "content encoding that was not asked for")
	case len(res.TransferEncoding) > 1:
		return Errorf(ReasonProtocol, "transfer encodings in layers")
	case len(kind) != 1 || !isPlainHeader(kind[0]):
		return Errorf(ReasonFormat, "no single content type")
	case res.Request.Method != http.MethodHead && res.ContentLength < 0 && len(res.TransferEncoding) == 0:
		// A body that ends with the connection looks the same when it breaks off.
		return Errorf(ReasonProtocol, "neither Content-Length nor chunked: its end cannot be known")
	}
	r.ContentType = kind[0]
	r.Disposition = res.Header.Get("Content-Disposition")
	return nil
}

// isIdentity reports whether the codings of a body are none.
func isIdentity(codings []string) bool {
	for _, coding := range codings {
		if coding != "" && !strings.EqualFold(coding, "identity") {
			return false
		}
	}
	return true
}

// isPlainHeader reports whether v is short, printable ASCII.
func isPlainHeader(v string) bool {
	for i := 0; i < len(v); i++ {
		if v[i] < ' ' || v[i] >= 0x7f {
			return false
		}
	}
	return v != "" && len(v) <= maxContentType
}

// Read reads the body. ReasonOf classes its errors.
func (r *Response) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	switch err {
	case nil:
	case io.EOF:
		r.drained = true
	case io.ErrUnexpectedEOF:
		err = r.exchange.Cause(&Error{Reason: ReasonTruncated, Err: err})
	default:
		err = r.exchange.Cause(bodyError(err))
	}
	return n, err
}

// bodyError classes an error within a body.
func bodyError(err error) error {
	switch ReasonOf(err) {
	case ReasonTimeout:
		return err
	case ReasonReset:
		return &Error{Reason: ReasonTruncated, Err: err}
	}
	return &Error{Reason: ReasonProtocol, Err: err} // malformed chunks
}

// Close keeps the connection if the body was read to its end, nothing follows it, and the
// runner does not close it. Otherwise it closes the connection. Further calls do nothing
// until the Exchange is used again.
func (r *Response) Close() {
	if r.closed {
		return
	}
	r.closed = true
	r.exchange.unbind()
	if r.drained && !r.closes && r.conn.in.Buffered() == 0 {
		r.client.keepIdle(r.conn)
		return
	}
	r.conn.close()
}

// maxCachedHead is the longest head that is cached, in bytes.
const maxCachedHead = 2 << 10

// headCache holds the head of a connection's last answer to GET, and what parsing it gave.
// A runner's heads differ only in their date, which does not affect how an answer is read,
// so a head that matches need not be parsed.
type headCache struct {
	head                     []byte
	dateFrom, dateTo         int  // value of its Date line; equal: it has none
	committed                bool // what follows is valid
	contentType, disposition string
	length                   int64 // of the body; below 0: chunked
}

// store copies head, which has passed checkHead. It counts once it is committed.
func (h *headCache) store(head []byte) {
	h.committed = false
	h.head = h.head[:0]
	if len(head) > maxCachedHead {
		return
	}
	var ok bool
	if h.dateFrom, h.dateTo, ok = dateIn(head); ok {
		h.head = append(h.head, head...)
	}
}

// dateIn finds the value of the only Date line of head. It is not ok if there are several.
func dateIn(head []byte) (from, to int, ok bool) {
	const name = "Date:"
	for at := 0; at < len(head); {
		end := at + bytes.IndexByte(head[at:], '\n') - 1 // the CR
		if line := head[at:end]; len(line) >= len(name) && bytes.EqualFold(line[:len(name)], []byte(name)) {
			if to > 0 {
				return 0, 0, false
			}
			from, to = at+len(name), end
		}
		at = end + 2
	}
	return from, to, true
}

// commit adds what net/http and res found in the stored head. A head that ends the
// connection is of no use later.
func (h *headCache) commit(res *Response, parsed *http.Response) {
	if len(h.head) == 0 || parsed.Close || parsed.ContentLength < 0 && len(parsed.TransferEncoding) == 0 {
		return
	}
	h.committed, h.length = true, parsed.ContentLength
	h.contentType, h.disposition = res.ContentType, res.Disposition
}

// matches reports whether head equals the cached one except for its date, which must be as
// long and printable.
func (h *headCache) matches(head []byte) bool {
	if !h.committed || len(head) != len(h.head) ||
		!bytes.Equal(head[:h.dateFrom], h.head[:h.dateFrom]) || !bytes.Equal(head[h.dateTo:], h.head[h.dateTo:]) {
		return false
	}
	for _, c := range head[h.dateFrom:h.dateTo] {
		if c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}
