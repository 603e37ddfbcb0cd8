package exposition

import (
	"io"
	"unsafe"
)

const (
	chunkBytes = 64 << 10           // size of the input buffer
	outSlack   = chunkBytes / 4     // for one more line with its labels
	outBytes   = 2*chunkBytes - 512 // length at which labelled bytes are handed out: 8 TLS records with the last line
)

// Reader reads an exposition and yields it with labels added. It checks the whole grammar. It may
// fail late, but it ends in io.EOF only if all of the input was complete and well-formed.
//
// A Reader holds an input buffer of 64 KiB and an output buffer of 144 KiB. They grow for a longer
// line or message, up to the limits, and stay grown over Reset. If a text body fits into the input buffer, the
// Reader keeps it with its labelled form until the next body has been read. Then it holds up to half
// a MiB.
//
// A Reader must not be copied, nor be used by several goroutines at a time.
type Reader struct {
	src       io.Reader
	kind      kind
	labels    *Labels
	noLabels  Labels // used for nil labels
	limits    Limits
	in        []byte // input buffer; its last slackBytes are never filled
	pos       int    // in[pos:end] is unread
	end       int
	read      int64  // bytes read from src
	srcErr    error  // error that src ended with
	out       []byte // labelled bytes
	handedOut int    // out[:handedOut] has been handed out
	full      int    // length of out at which it is handed out
	err       error  // what the Reader returns after out
	line      int64  // lines or messages before pos
	stats     Stats
	text      textState
	proto     protoState
	cache     scrapeCache
	plain     bool // tests set it to turn the shortcuts off
	shortcuts bool // use the cache, the template, and plans for metrics
}

// NewReader returns a Reader that adds labels to what it reads from src, which must be in the
// format f. Nil labels are none.
func NewReader(src io.Reader, f *Format, labels *Labels, limits Limits) *Reader {
	r := new(Reader)
	r.Reset(src, f, labels, limits)
	return r
}

// Reset makes r read from src, as NewReader does. It keeps the buffers and allocates nothing. The
// zero Reader may be Reset.
func (r *Reader) Reset(src io.Reader, f *Format, labels *Labels, limits Limits) {
	if labels == nil {
		labels = &r.noLabels
	}
	limits.setDefaults()
	r.shortcuts = useShortcuts && !r.plain
	r.rotate(settings{labels, f.kind, limits})
	r.src, r.kind, r.labels, r.limits = src, f.kind, labels, limits
	r.pos, r.end, r.read, r.srcErr = 0, 0, 0, nil
	r.out, r.handedOut, r.err = r.out[:0], 0, nil
	r.line, r.stats = 0, Stats{}
	r.proto.until = 0
	r.proto.metric.forget()
	r.proto.metric.shortcuts = r.shortcuts
	r.text.reset(r.kind == kindOpenMetrics, limits.LineBytes)
}

// Read yields labelled bytes. It returns ErrEmpty, ErrTruncated, ErrTooLong, ErrTooLarge, a
// *SyntaxError or the source's own error if the body cannot be trusted. What was read before must
// then not pass as complete.
func (r *Reader) Read(p []byte) (int, error) {
	for r.handedOut == len(r.out) {
		if r.err != nil {
			return 0, r.err
		}
		r.advance()
	}
	n := copy(p, r.out[r.handedOut:])
	r.handedOut += n
	return n, nil
}

// Whole returns all labelled bytes without a copy, if they are complete, at most most bytes, and
// none of them has been handed out. They are valid until the next Reset. Otherwise ok is false, and
// Read and WriteTo yield them.
func (r *Reader) Whole(most int) (p []byte, ok bool) {
	if len(r.out) == 0 && r.err == nil {
		r.advance()
	}
	if r.handedOut > 0 || len(r.out) == 0 || len(r.out) > most || r.err != io.EOF {
		return nil, false
	}
	r.handedOut = len(r.out)
	return r.out, true
}

// Next returns the next labelled bytes without a copy, 128 KiB or a little more but for the last.
// They are the caller's; for their memory r takes spare, which may be nil. An error, of those of
// Read, can come with the last bytes.
func (r *Reader) Next(spare []byte) (p []byte, err error) {
	if r.handedOut == len(r.out) && r.err == nil {
		r.advance()
	}
	p = r.out[r.handedOut:]
	r.out, r.handedOut = spare[:0], 0
	r.cache.complete = false // out is gone
	return p, r.err
}

// WriteTo writes all labelled bytes to w, a chunk at a time. Its errors are those of Read except
// io.EOF, and those of w.
func (r *Reader) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		n, err := w.Write(r.out[r.handedOut:])
		total += int64(n)
		r.handedOut += n
		switch {
		case err != nil:
			return total, err
		case r.handedOut < len(r.out):
			return total, io.ErrShortWrite
		case r.err == io.EOF:
			return total, nil
		case r.err != nil:
			return total, r.err
		}
		r.advance()
	}
}

// Held returns how many bytes of memory r keeps over Reset.
func (r *Reader) Held() int {
	c, p := &r.cache, &r.proto
	refs := (cap(c.refs) + cap(c.newRefs)) * int(unsafe.Sizeof(valueRef{}))
	plans := cap(p.plans)*int(unsafe.Sizeof(plan{})) + cap(p.metric.arena)
	return cap(r.in) + cap(r.out) + cap(c.body) + cap(c.out) + refs + plans
}

// Stats returns what was counted since the last Reset.
func (r *Reader) Stats() Stats { return r.stats }

// advance fills out from the input, or sets err, or both.
func (r *Reader) advance() {
	r.cache.complete = r.cache.complete && len(r.out) == 0
	r.out, r.handedOut = r.out[:0], 0
	if n := outBytes + outSlack; cap(r.out) < n {
		r.out = make([]byte, 0, n)
	}
	r.full = outBytes
	switch {
	case r.src == nil:
		r.err = ErrEmpty
	case r.kind == kindProtobuf:
		r.err = r.labelMessages()
	default:
		r.err = r.labelText()
	}
}

// syntax returns the error for a fault after n more lines.
func (r *Reader) syntax(n int64, what string) error {
	return &SyntaxError{Line: r.line + n + 1, What: what}
}

const (
	slackBytes    = 8   // readable bytes after the input, for loads of whole words
	maxEmptyReads = 100 // reads without a byte before a source counts as stuck, as in bufio
)

// fill moves the unread bytes to the front of the input buffer and reads until the buffer is full
// or the source ends. A buffer that is full of unread bytes grows. An error means that nothing
// more can be read: io.EOF, ErrTooLong, ErrTooLarge or the source's error.
func (r *Reader) fill() error {
	if r.srcErr != nil {
		return r.srcErr
	}
	if err := r.makeRoom(); err != nil {
		return err
	}
	size := len(r.in) - slackBytes
	for empty := 0; r.end < size && r.srcErr == nil; empty++ {
		n, err := r.src.Read(r.in[r.end:size])
		r.end += n
		r.read += int64(n)
		if n > 0 {
			empty = 0
		}
		switch {
		case r.read > r.limits.Bytes:
			r.srcErr = ErrTooLarge
		case err != nil:
			r.srcErr = err
		case empty == maxEmptyReads:
			r.srcErr = io.ErrNoProgress
		}
	}
	return nil
}

// makeRoom moves the unread bytes to the front of the buffer, and doubles a buffer that is full
// of them. So memory follows the bytes that have arrived, and not what a message says of its
// length. A line with its newline, and a message with its length, fit into the limit and a few
// bytes more.
func (r *Reader) makeRoom() error {
	limit := r.limits.LineBytes
	if r.kind == kindProtobuf {
		limit = r.limits.MessageBytes
	}
	most := max(chunkBytes, int(limit)+slackBytes)
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
