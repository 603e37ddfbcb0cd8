package exposition

import "io"

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
