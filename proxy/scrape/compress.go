package scrape

import "net/http"

// Compress compresses the answers of next as those of h: by the same choice of encoding, with
// the same compressors. It is for the gate's own metrics. Only answers with status 200 and no
// encoding of their own are compressed.
func (h *Handler) Compress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		encoding := encodingIdentity
		if h.o.Compression && r.Method != http.MethodHead {
			encoding = negotiate(r.Header["Accept-Encoding"])
		}
		cw := &compressedWriter{ResponseWriter: w, encoding: encoding, vary: h.vary}
		if encoding == encodingIdentity {
			next.ServeHTTP(cw, r)
			return
		}
		c, release := h.buffers.compressor(encoding, w)
		defer release()
		cw.compressor = c
		next.ServeHTTP(cw, r)
		if cw.compressing {
			_ = c.Close() // an error means that the client left
		}
	})
}

// compressedWriter compresses a body if it is one of status 200.
type compressedWriter struct {
	http.ResponseWriter
	encoding    encoding
	compressor  compressor
	vary        []string // replaces what next says: it knows nothing of encodings
	wroteHeader bool
	compressing bool
}

// WriteHeader implements http.ResponseWriter.
func (w *compressedWriter) WriteHeader(status int) {
	header := w.Header()
	header["Vary"] = w.vary
	if !w.wroteHeader && status == http.StatusOK && w.compressor != nil && header.Get("Content-Encoding") == "" {
		w.compressing = true
		header.Set("Content-Encoding", w.encoding.String())
		header.Del("Content-Length")
	}
	w.wroteHeader = w.wroteHeader || status >= http.StatusOK
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *compressedWriter) Write(p []byte) (int, error) {
	if !w.wroteHeader {
		w.WriteHeader(http.StatusOK)
	}
	if w.compressing {
		return w.compressor.Write(p)
	}
	return w.ResponseWriter.Write(p)
}
