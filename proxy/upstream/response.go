package upstream

import (
	"io"
	"net/http"
	"strings"
)

// maxContentType is the longest Content-Type that is taken seriously, in bytes.
const maxContentType = 256

// answer is the runner's answer with status 200, its body unread.
type Response struct {
	ContentType string
	Disposition string
	body        io.Reader // one of those below, or net/http's
	chunks      chunkedBody
	sized       sizedBody
	link        *link
	upstream    *Client
	in          *Canceler
	last        bool // the connection carries nothing after this
	drained     bool // the body was read to its end
	closed      bool
}

// recognize takes over what is known of a's head, which was read.
func (a *Response) recognize(k *knownHead) {
	a.ContentType, a.Disposition = k.contentType, k.disposition
	if k.length < 0 {
		a.chunks.in = a.link.in
		a.body = &a.chunks
		return
	}
	a.sized.in, a.sized.left = a.link.in, k.length
	a.body = &a.sized
}

// judge refuses what is no plain 200 with a body whose end can be known.
func (a *Response) judge(res *http.Response) error {
	kind := res.Header["Content-Type"]
	switch {
	case res.StatusCode != http.StatusOK:
		return Errorf(ReasonStatus, "status %d", res.StatusCode)
	case !identity(res.Header["Content-Encoding"]):
		return Errorf(ReasonEncoding, "content encoding that was not asked for")
	case len(res.TransferEncoding) > 1:
		return Errorf(ReasonProtocol, "transfer encodings in layers")
	case len(kind) != 1 || !plainHeader(kind[0]):
		return Errorf(ReasonFormat, "no single content type")
	case res.Request.Method != http.MethodHead && res.ContentLength < 0 && len(res.TransferEncoding) == 0 && res.ProtoAtLeast(1, 1):
		// A body that ends with the connection looks the same when it breaks off.
		return Errorf(ReasonProtocol, "neither Content-Length nor chunked: its end cannot be known")
	}
	a.ContentType = kind[0]
	a.Disposition = res.Header.Get("Content-Disposition")
	return nil
}

// identity reports whether the codings of a body are none.
func identity(codings []string) bool {
	for _, coding := range codings {
		if coding != "" && !strings.EqualFold(coding, "identity") {
			return false
		}
	}
	return true
}

// plainHeader reports whether v is short and visible ASCII.
func plainHeader(v string) bool {
	for i := 0; i < len(v); i++ {
		if v[i] < ' ' || v[i] >= 0x7f {
			return false
		}
	}
	return v != "" && len(v) <= maxContentType
}

// Read reads the body. Its errors are classed by reasonOf.
func (a *Response) Read(p []byte) (int, error) {
	n, err := a.body.Read(p)
	switch err {
	case nil:
	case io.EOF:
		a.drained = true
	case io.ErrUnexpectedEOF:
		err = a.in.Cause(&Error{Reason: ReasonTruncated, Err: err})
	default:
		err = a.in.Cause(bodyError(err))
	}
	return n, err
}

// bodyError classes an error within a body.
func bodyError(err error) error {
	switch r := ReasonOf(err); r {
	case ReasonTimeout:
		return err
	case ReasonReset:
		return &Error{Reason: ReasonTruncated, Err: err}
	}
	return &Error{Reason: ReasonProtocol, Err: err} // malformed chunks
}

// Close keeps the connection if it is beyond doubt: the body was read to its end,
// nothing follows it, and the runner does not mean to close it. It may be called
// again.
func (a *Response) Close() {
	if a.closed {
		return
	}
	a.closed = true
	a.in.release()
	if a.drained && !a.last && a.link.in.Buffered() == 0 {
		a.upstream.keep(a.link)
		return
	}
	a.link.close()
}
