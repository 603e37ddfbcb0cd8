package exposition

import (
	"io"
	"unsafe"
)

const (
	chunkBytes = 64 << 10       // size of the input buffer
	outBytes   = 2 * chunkBytes // what is handed on at once
	outSlack   = chunkBytes / 4 // a line more, and its labels
	slackBytes = 8              // readable bytes behind the input, for loads of whole words

	defaultLineBytes = 1 << 20
	defaultBytes     = 64 << 20
	maxLineBytes     = 1 << 30 // offsets within a line are 32 bits wide
	maxValueBytes    = 1 << 24 // at this length Prometheus panics on a label value

	maxEmptyReads = 100 // before a source counts as stuck, as in bufio
)

// Reader reads an exposition and yields it with the labels added. It checks
// the whole grammar, so it may fail late, but never ends in io.EOF unless all of
// the input was complete and well-formed.
//
// It holds two buffers of 64 KiB. They grow for a longer line or message, up to
// Limits.LineBytes, and stay grown over Reset. Of a body that fits into them it keeps
// both sides, up to half a MiB, so that the next one, if it is like it, is cheap. A Reader must not be copied, nor
// used by several goroutines at a time.
type Reader struct {
	src       io.Reader
	kind      kind
	labels    *Labels
	unlabel   Labels // stands in for nil labels
	limits    Limits
	in        []byte // input buffer; its last slackBytes are never filled
	pos       int    // in[pos:end] is unread
	end       int
	read      int64  // bytes taken from src
	srcErr    error  // what src ended with
	out       []byte // labelled bytes
	ready     int    // out[ready:] has not been handed on
	full      int    // length of out at which it is handed on
	err       error  // what the Reader ends with, after out
	line      int64  // lines or messages before pos
	stats     Stats
	text      textState
	proto     protoState
	cache     scrapeCache
	shortcuts bool // use the cache and the template
}

// NewReader returns a Reader that adds labels to what it reads from src, which
// must be of format f.
func NewReader(src io.Reader, f *Format, labels *Labels, limits Limits) *Reader {
	r := new(Reader)
	r.Reset(src, f, labels, limits)
	return r
}

// Reset makes r as new, but keeps its buffers: it allocates nothing. The zero
// Reader may be Reset.
func (r *Reader) Reset(src io.Reader, f *Format, labels *Labels, limits Limits) {
	if limits.LineBytes <= 0 {
		limits.LineBytes = defaultLineBytes
	}
	if limits.Bytes <= 0 {
		limits.Bytes = defaultBytes
	}
	if labels == nil {
		labels = &r.unlabel
	}
	limits.LineBytes = min(limits.LineBytes, maxLineBytes)
	r.shortcuts = true
	r.rotate(settings{labels, f.kind, limits})
	r.src, r.kind, r.labels, r.limits = src, f.kind, labels, limits
	r.pos, r.end, r.read, r.srcErr = 0, 0, 0, nil
	r.out, r.ready, r.err = r.out[:0], 0, nil
	r.line, r.stats = 0, Stats{}
	r.proto.until = 0
	r.proto.metric.forget()
	r.text.reset(r.kind == kindOpenMetrics, limits.LineBytes)
}

// Read yields labelled bytes. It returns ErrEmpty, ErrTruncated, ErrTooLong,
// ErrTooLarge, a *SyntaxError or the source's own error if the body cannot be
// trusted; what was read before must then not pass as complete.
func (r *Reader) Read(p []byte) (int, error) {
	for r.ready == len(r.out) {
		if r.err != nil {
			return 0, r.err
		}
		r.advance()
	}
	n := copy(p, r.out[r.ready:])
	r.ready += n
	return n, nil
}

// Whole reads on, and returns all labelled bytes if that was enough to complete the body,
// they are no more than most, and nothing has been handed on before. They hold until the
// next Reset. If it is not ok they are still to be had, with everything else.
func (r *Reader) Whole(most int) (p []byte, ok bool) {
	if len(r.out) == 0 && r.err == nil {
		r.advance()
	}
	if r.ready > 0 || len(r.out) == 0 || len(r.out) > most || r.err != io.EOF {
		return nil, false
	}
	r.ready = len(r.out)
	return r.out, true
}

// WriteTo writes all labelled bytes to w, a chunk at a time. Its errors are
// those of Read, but io.EOF, and those of w.
func (r *Reader) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		n, err := w.Write(r.out[r.ready:])
		total += int64(n)
		r.ready += n
		switch {
		case err != nil:
			return total, err
		case r.ready < len(r.out):
			return total, io.ErrShortWrite
		case r.err == io.EOF:
			return total, nil
		case r.err != nil:
			return total, r.err
		}
		r.advance()
	}
}

// Held returns the bytes of what r keeps over Reset.
func (r *Reader) Held() int {
	c := &r.cache
	refs := (cap(c.refs) + cap(c.newRefs)) * int(unsafe.Sizeof(valueRef{}))
	return cap(r.in) + cap(r.out) + cap(c.body) + cap(c.out) + refs
}

// Stats returns what was counted since the last Reset.
func (r *Reader) Stats() Stats { return r.stats }

// advance fills out anew from the input, or sets err, or both.
func (r *Reader) advance() {
	r.cache.complete = r.cache.complete && len(r.out) == 0
	r.out, r.ready = r.out[:0], 0
	if most := outBytes + outSlack; cap(r.out) < most {
		r.out = make([]byte, 0, most)
	}
	r.full = outBytes
	if r.src == nil {
		r.err = ErrEmpty
		return
	}
	if r.kind == kindProtobuf {
		r.err = r.messages()
	} else {
		r.err = r.labelText()
	}
}

// fill reads on until the buffer is full or the source ends; if it was full
// already it grows. It moves the unread bytes to the front. An error means that
// there is no more to be had: io.EOF, ErrTooLarge or the source's.
func (r *Reader) fill() error {
	if r.srcErr != nil {
		return r.srcErr
	}
	if err := r.room(); err != nil {
		return err
	}
	size := len(r.in) - slackBytes
	for stuck := 0; r.end < size && r.srcErr == nil; stuck++ {
		n, err := r.src.Read(r.in[r.end:size])
		r.end += n
		r.read += int64(n)
		if n > 0 {
			stuck = 0
		}
		switch {
		case r.read > r.limits.Bytes:
			r.srcErr = ErrTooLarge
		case err != nil:
			r.srcErr = err
		case stuck == maxEmptyReads:
			r.srcErr = io.ErrNoProgress
		}
	}
	return nil
}

// room makes room behind the unread bytes. A line and its newline, or a message
// and its prefix, fit into LineBytes and a few bytes more.
func (r *Reader) room() error {
	most := max(chunkBytes, int(r.limits.LineBytes)+slackBytes)
	size := max(chunkBytes, len(r.in)-slackBytes)
	if n := r.end - r.pos; n == size {
		if n >= most {
			return ErrTooLong
		}
		size = min(2*size, most)
	}
	if r.end > 0 {
		r.cache.complete = false
	}
	to := r.in
	if len(r.in) != size+slackBytes {
		to = make([]byte, size+slackBytes)
	}
	r.end = copy(to, r.in[r.pos:r.end])
	r.in, r.pos = to, 0
	return nil
}

// syntax returns the error for a fault after n more lines.
func (r *Reader) syntax(n int64, what string) error {
	return &SyntaxError{Line: r.line + n + 1, What: what}
}
