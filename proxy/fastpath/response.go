package fastpath

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// chunkedLength is the length of a body that goes in chunks (RFC 9112 section 7.1).
const chunkedLength = -1

// response is the http.ResponseWriter of a connection, reused for each request. It does what
// these answers need of net/http's: one final status, and a body with a Content-Length or in
// chunks. What was not flushed goes out with the next Write.
type response struct {
	conn    *conn
	header  http.Header
	names   []string // of the header, sorted; scratch of appendFields
	timed   bool     // a deadline for writing is set
	status  int      // 0: not yet
	left    int64    // bytes of the body still to come; chunkedLength: in chunks
	pending []byte   // the head, and what surrounds chunks
	close   bool     // after this answer
	err     error    // of the connection
}

// reset prepares w for the next answer. Nothing is pending: finish has sent it.
func (w *response) reset() {
	clear(w.header)
	w.timed, w.status, w.left, w.close, w.err = false, 0, 0, false, nil
}

// Header implements http.ResponseWriter.
func (w *response) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter. Informational statuses are left out.
func (w *response) WriteHeader(status int) {
	if w.status != 0 || status < http.StatusOK {
		return
	}
	w.status, w.left = status, chunkedLength
	if values := w.header["Content-Length"]; len(values) > 0 {
		if n, err := strconv.ParseInt(values[0], 10, 64); err == nil && n >= 0 {
			w.left = n
		} else {
			delete(w.header, "Content-Length")
		}
	}
	if w.conn.server.isClosing() {
		w.header["Connection"] = []string{"close"}
	}
	w.close = w.header.Get("Connection") == "close"
	b := append(w.pending, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(status)...)
	b = append(w.appendFields(b), "\r\nDate: "...)
	b = time.Now().UTC().AppendFormat(b, http.TimeFormat)
	if w.left == chunkedLength {
		b = append(b, "\r\nTransfer-Encoding: chunked"...)
	}
	w.pending = append(b, headEnd...)
}

// appendFields appends the header, sorted by name, each line after a CRLF. A name or value
// that would break a line is left out.
func (w *response) appendFields(b []byte) []byte {
	if !w.sameNames() {
		w.names = slices.AppendSeq(w.names[:0], maps.Keys(w.header))
		w.names = slices.DeleteFunc(w.names, func(name string) bool { return strings.ContainsAny(name, "\r\n: ") })
		slices.Sort(w.names)
	}
	for _, name := range w.names {
		for _, value := range w.header[name] {
			if strings.IndexByte(value, '\r') >= 0 || strings.IndexByte(value, '\n') >= 0 {
				continue
			}
			b = append(append(b, "\r\n"...), name...)
			b = append(append(b, ": "...), value...)
		}
	}
	return b
}

// sameNames reports whether the header has the same names as that of the last answer.
func (w *response) sameNames() bool {
	for _, name := range w.names {
		if _, ok := w.header[name]; !ok {
			return false
		}
	}
	return len(w.names) == len(w.header)
}

// Write implements http.ResponseWriter.
func (w *response) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	chunked := w.left == chunkedLength
	switch {
	case w.err != nil:
		return 0, w.err
	case !chunked && int64(len(p)) > w.left:
		return 0, http.ErrContentLength
	case len(p) == 0:
		return 0, nil
	case chunked:
		w.pending = append(strconv.AppendInt(w.pending, int64(len(p)), 16), "\r\n"...)
	default:
		w.left -= int64(len(p))
	}
	if err := w.FlushError(); err != nil {
		return 0, err
	}
	var n int
	n, w.err = w.conn.netConn.Write(p)
	if chunked {
		w.pending = append(w.pending, "\r\n"...)
	}
	return n, w.err
}

// FlushError sends what is pending, for http.ResponseController.
func (w *response) FlushError() error {
	w.WriteHeader(http.StatusOK)
	if w.err != nil || len(w.pending) == 0 {
		return w.err
	}
	if timeout := w.conn.server.o.WriteTimeout; !w.timed && timeout > 0 {
		w.err = w.SetWriteDeadline(time.Now().Add(timeout))
	}
	if w.err == nil {
		_, w.err = w.conn.netConn.Write(w.pending)
	}
	w.pending = w.pending[:0]
	return w.err
}

// SetWriteDeadline is for http.ResponseController.
func (w *response) SetWriteDeadline(t time.Time) error {
	w.timed = true
	return w.conn.netConn.SetWriteDeadline(t)
}

// SetReadDeadline is for http.ResponseController. There is nothing to read.
func (w *response) SetReadDeadline(time.Time) error { return nil }

// finish sends the end of the answer. An error means that the answer is incomplete.
func (w *response) finish() error {
	if w.status == 0 {
		w.header["Content-Length"] = []string{"0"}
	}
	w.WriteHeader(http.StatusOK)
	if w.left == chunkedLength {
		w.pending = append(w.pending, "0\r\n\r\n"...)
	}
	if err := w.FlushError(); err != nil {
		return err
	}
	if w.left > 0 {
		return http.ErrContentLength
	}
	return nil
}
