package fastpath

import (
	"bufio"
	"bytes"
	"net/http"
	"net/textproto"
)

// headBytes is the longest head that is read here. A scrape with a token of 2 KiB fits.
const headBytes = 4 << 10

// plain reports whether r is a scrape that this package answers.
func (s *Server) plain(r *http.Request) bool {
	return r.Method == http.MethodGet && r.RequestURI == s.o.Path && r.Proto == "HTTP/1.1" &&
		r.ContentLength == 0 && len(r.TransferEncoding) == 0 && !r.Close && plainFields(r.Header)
}

// plainFields reports whether h has only fields that scrapers send, each once. None of them
// concerns the connection or a body.
func plainFields(h http.Header) bool {
	for name, values := range h {
		switch name {
		case "Accept", "Accept-Encoding", "Authorization", "User-Agent", "X-Prometheus-Scrape-Timeout-Seconds":
		default:
			return false
		}
		if len(values) != 1 {
			return false
		}
	}
	return true
}

// headEnd is what a head ends with.
const headEnd = "\r\n\r\n"

// headParser parses the heads of a connection. It keeps the last one, since a scraper always
// sends the same.
type headParser struct {
	last    []byte
	request *http.Request
}

// parse returns the request that b begins with, and its length. It returns nil if that
// request is not complete and plain.
func (h *headParser) parse(s *Server, b []byte) (*http.Request, int) {
	if n := len(h.last); n > 0 && len(b) >= n && bytes.Equal(b[:n], h.last) {
		return h.request, n
	}
	n := bytes.Index(b, []byte(headEnd)) + len(headEnd)
	if n < len(headEnd) || !plainBytes(b[:n]) {
		return nil, 0
	}
	r, err := http.ReadRequest(bufio.NewReaderSize(bytes.NewReader(b[:n]), headBytes))
	if err != nil || !s.plain(r) || r.Host != h.request.Host {
		return nil, 0
	}
	r.RemoteAddr, r.TLS = h.request.RemoteAddr, h.request.TLS
	h.last, h.request = append(h.last[:0], b[:n]...), r.WithContext(h.request.Context())
	return h.request, n
}

// plainBytes reports whether head is lines of printable ASCII ended by CRLF, each after the
// first a name, a colon, a space and a value, one of them Host. No two parsers read this form
// in two ways (RFC 9112 sections 2.2 and 5).
func plainBytes(head []byte) bool {
	first, host := true, false
	for len(head) > len("\r\n") {
		end := bytes.IndexByte(head, '\r')
		if end <= 0 || head[end+1] != '\n' {
			return false
		}
		line := head[:end]
		head = head[end+len("\r\n"):]
		for _, c := range line {
			if c < ' ' || c > '~' {
				return false
			}
		}
		if first {
			first = false
			continue
		}
		name, _, ok := bytes.Cut(line, []byte(": "))
		if !ok || len(name) == 0 || bytes.ContainsAny(name, " :") {
			return false
		}
		if textproto.CanonicalMIMEHeaderKey(string(name)) == "Host" {
			if host {
				return false
			}
			host = true
		}
	}
	return host
}
