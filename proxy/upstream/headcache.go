package upstream

import (
	"bytes"
	"net/http"
)

// knownBytes is the longest head that is remembered.
const knownBytes = 2 << 10

// knownHead is the head of a connection's last answer to GET, and what was found out
// about it. A runner's heads differ in their date alone, which has no say in how an
// answer is read, so the next one need not be parsed again.
type knownHead struct {
	head                     []byte
	from, to                 int // value of its Date line; equal: it has none
	whole                    bool
	contentType, disposition string
	length                   int64 // of the body; less than 0: it is chunked
}

// note remembers head, which has passed checkHead, until settle says what it is worth.
func (k *knownHead) note(head []byte) {
	k.whole = false
	k.head = k.head[:0]
	if len(head) > knownBytes {
		return
	}
	var ok bool
	if k.from, k.to, ok = dateIn(head); ok {
		k.head = append(k.head, head...)
	}
}

// dateIn finds the value of the only Date line of head. It is not ok if there are more.
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

// settle completes what was noted with what net/http found in the same head, and a
// from it. What closes the connection is not worth it.
func (k *knownHead) settle(a *Response, res *http.Response) {
	if len(k.head) == 0 || res.Close || res.ContentLength < 0 && len(res.TransferEncoding) == 0 {
		return
	}
	k.whole, k.length = true, res.ContentLength
	k.contentType, k.disposition = a.ContentType, a.Disposition
}

// covers reports whether head is the known one but for its date, which still has to be
// visible and as long as the old one.
func (k *knownHead) covers(head []byte) bool {
	if !k.whole || len(head) != len(k.head) || !bytes.Equal(head[:k.from], k.head[:k.from]) || !bytes.Equal(head[k.to:], k.head[k.to:]) {
		return false
	}
	for _, c := range head[k.from:k.to] {
		if c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}
