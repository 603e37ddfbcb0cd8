package profile

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// streamBytes is how much of a profile is copied at once.
const streamBytes = 32 << 10

// stream copies the answer as it comes. It cancels the exchange when the client leaves.
func (p *Handler) stream(w http.ResponseWriter, r *http.Request, ask *upstream.Request) {
	var exchange upstream.Exchange
	stop := context.AfterFunc(r.Context(), func() { exchange.Cancel(upstream.ErrCanceled) })
	defer stop()
	answer, err := p.o.Upstream.Do(ask, &exchange)
	if err == nil {
		defer answer.Close()
		err = passType(w.Header(), answer)
	}
	if err != nil {
		p.failed(r, ask, err)
		if errors.Is(err, upstream.ErrCanceled) {
			panic(http.ErrAbortHandler)
		}
		// The server's WriteTimeout may be over.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(proxy.WriteStallTimeout))
		proxy.Refuse(w, upstream.ReasonOf(err).Status())
		return
	}
	if err := copyFlushing(w, answer); err != nil {
		p.failed(r, ask, err)
		panic(http.ErrAbortHandler)
	}
}

// copyFlushing copies src to w, and flushes after each write. A write that takes longer than
// proxy.WriteStallTimeout is an error. The server's WriteTimeout does not apply: the length of
// a profile is limited.
func copyFlushing(w http.ResponseWriter, src io.Reader) error {
	control := http.NewResponseController(w)
	buf := make([]byte, streamBytes)
	for {
		n, err := src.Read(buf)
		if n > 0 || err == io.EOF {
			// An error means a writer without deadlines.
			_ = control.SetWriteDeadline(time.Now().Add(proxy.WriteStallTimeout))
		}
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return &upstream.Error{Reason: upstream.ReasonCanceled, Err: err}
			}
			if err := control.Flush(); err != nil {
				return &upstream.Error{Reason: upstream.ReasonCanceled, Err: err}
			}
		}
		switch err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
	}
}

// passType copies content type and disposition, if pprof sends them. No other header of the
// runner passes.
func passType(h http.Header, a *upstream.Response) error {
	switch a.ContentType {
	case "application/octet-stream", "text/plain; charset=utf-8", "text/html; charset=utf-8":
		h.Set("Content-Type", a.ContentType)
	default:
		return upstream.Errorf(upstream.ReasonFormat, "content type %q", a.ContentType)
	}
	if a.ContentType == "text/html; charset=utf-8" {
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	}
	if safeDisposition(a.Disposition) {
		h.Set("Content-Disposition", a.Disposition)
	}
	return nil
}

// safeDisposition reports whether v offers a file whose name is a profile's.
func safeDisposition(v string) bool {
	name, ok := strings.CutPrefix(v, `attachment; filename="`)
	name, ended := strings.CutSuffix(name, `"`)
	return ok && ended && len(name) <= 32 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-") == ""
}
