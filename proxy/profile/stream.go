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

// streamBytes is how much of a profile is handed on at once.
const streamBytes = 32 << 10

// stream hands the answer on as it comes, and cancels the exchange when the client
// leaves.
func (p *Handler) stream(w http.ResponseWriter, r *http.Request, ask *upstream.Request) {
	var in upstream.Canceler
	stop := context.AfterFunc(r.Context(), func() { in.Cancel(upstream.ErrCanceled) })
	defer stop()
	answer, err := p.o.Upstream.Do(ask, &in)
	if err == nil {
		defer answer.Close()
		err = passType(w.Header(), answer)
	}
	if err != nil {
		p.failed(r, ask, err)
		if errors.Is(err, upstream.ErrCanceled) {
			panic(http.ErrAbortHandler)
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(proxy.WriteStallTimeout)) // WriteTimeout may be over
		proxy.Refuse(w, upstream.ReasonOf(err).Status())
		return
	}
	if err := copyFlushing(w, answer); err != nil {
		p.failed(r, ask, err)
		panic(http.ErrAbortHandler)
	}
}

// copyFlushing writes src to w until its end, without holding anything back. A
// write that takes longer than stall is an error; the server's WriteTimeout does not
// count here, a profile has a time limit of its own.
func copyFlushing(w http.ResponseWriter, src io.Reader) error {
	control := http.NewResponseController(w)
	buf := make([]byte, streamBytes)
	for {
		n, err := src.Read(buf)
		if n > 0 || err == io.EOF {
			_ = control.SetWriteDeadline(time.Now().Add(proxy.WriteStallTimeout)) // a writer that knows no deadlines has none
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

// passType copies the content type and disposition of a, if they are among those
// that pprof sends. Nothing else of the runner's headers passes.
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
