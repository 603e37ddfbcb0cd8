package upstream

import (
	"bytes"
	"net/http"
)

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
