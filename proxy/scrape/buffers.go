package scrape

import (
	"io"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/metrics-gate/metrics-gate/proxy/exposition"
	"github.com/metrics-gate/metrics-gate/proxy/internal/freelist"
)

// Sizes of buffers.
const (
	chunkBytes       = 128 << 10              // a piece of an answer, about
	smallChunks      = 512 << 10 / chunkBytes // an answer up to here is complete before its status is sent
	window           = 1 << 20 / chunkBytes   // of a larger one: chunks between the runner and the slowest reader
	keptChunks       = 12                     // kept for later answers
	maxKeptChunk     = 2 * chunkBytes         // the largest chunk that is kept, in bytes
	keptReaders      = 2
	maxBorrowed      = 4              // readers whose buffers are written from at one time
	maxBorrowedBytes = chunkBytes     // of each; a waiter has WriteStallTimeout to take it
	maxKeptReader    = 4 * chunkBytes // the largest reader that is kept, in bytes
)

// chunk is a piece of a labelled answer, maybe compressed. Several waiters write it at a
// time. It does not change while it is referred to.
type chunk struct {
	data   []byte
	refs   int                // guarded by the flight's mutex
	reader *exposition.Reader // owns data, and is kept when the last reference goes; nil: data is the chunk's
}

// append appends as much of p as fits into a chunk, and returns how many bytes that is.
func (c *chunk) append(p []byte) int {
	n := min(len(p), chunkBytes-len(c.data))
	c.data = append(c.data, p[:n]...)
	return n
}

// full reports whether nothing more fits in.
func (c *chunk) full() bool { return len(c.data) == chunkBytes }

// buffers are the large buffers of exchanges, kept for reuse.
type buffers struct {
	chunks   *freelist.List[chunk]
	readers  *freelist.List[exposition.Reader]
	gzip     *freelist.List[gzipWriter]
	zstd     *freelist.List[zstdWriter]
	borrowed atomic.Int32 // readers that chunks refer to
}

func newBuffers() *buffers {
	return &buffers{
		chunks: freelist.New[chunk](keptChunks), readers: freelist.New[exposition.Reader](keptReaders),
		gzip: freelist.New[gzipWriter](keptReaders), zstd: freelist.New[zstdWriter](keptReaders),
	}
}

// chunk returns an empty chunk with one reference, and with or without memory.
func (b *buffers) chunk() *chunk {
	c := b.chunks.Get()
	c.data, c.refs = c.data[:0], 1
	return c
}

// put takes back a chunk without references. One that a long line has made large is dropped.
func (b *buffers) put(c *chunk) {
	switch {
	case c.reader != nil:
		b.borrowed.Add(-1)
		b.keepReader(c.reader)
	case cap(c.data) <= maxKeptChunk:
		b.chunks.Put(c)
	}
}

// borrow returns a chunk with all of r's answer in r's own buffer, if the answer is complete
// and small, and few readers are borrowed. It saves a copy. The chunk owns r.
func (b *buffers) borrow(r *exposition.Reader) (c chunk, ok bool) {
	defer func() {
		if !ok { // a panic too
			b.borrowed.Add(-1)
		}
	}()
	if b.borrowed.Add(1) <= maxBorrowed {
		if whole, ok := r.Whole(maxBorrowedBytes); ok {
			return chunk{data: whole, refs: 1, reader: r}, true
		}
	}
	return chunk{}, false
}

// releaseIdle drops what no exchange has needed since the last call.
func (b *buffers) releaseIdle() {
	b.chunks.ReleaseIdle()
	b.readers.ReleaseIdle()
	b.gzip.ReleaseIdle()
	b.zstd.ReleaseIdle()
}

// keepReader keeps r for a later exchange, unless a long line has made it large.
func (b *buffers) keepReader(r *exposition.Reader) {
	r.Reset(nil, new(exposition.Format), nil, exposition.Limits{})
	if r.Held() <= maxKeptReader {
		b.readers.Put(r)
	}
}

// Settings of the compressors, chosen by BenchmarkCompress on a runner's exposition.
const (
	gzipLevel  = 1
	zstdWindow = 128 << 10
)

// compressor is what the two libraries have in common.
type compressor interface {
	io.WriteCloser
	Reset(w io.Writer)
}

// gzipWriter and zstdWriter are compressors whose zero value can be Reset. Each holds about
// 1 MB.
type (
	gzipWriter struct{ *gzip.Writer }
	zstdWriter struct{ *zstd.Encoder }
)

// Reset makes g write a new stream to w.
func (g *gzipWriter) Reset(w io.Writer) {
	if g.Writer != nil {
		g.Writer.Reset(w)
		return
	}
	var err error
	if g.Writer, err = gzip.NewWriterLevel(w, gzipLevel); err != nil {
		panic(err) // only a level out of range is an error
	}
}

// Reset makes z write a new stream to w.
func (z *zstdWriter) Reset(w io.Writer) {
	if z.Encoder != nil {
		z.Encoder.Reset(w)
		return
	}
	var err error
	z.Encoder, err = zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(err) // only an option out of range is an error
	}
}

// compressor returns a compressor for e, which must not be identity, and a function that
// takes it back.
func (b *buffers) compressor(e encoding, w io.Writer) (c compressor, release func()) {
	if e == encodingZstd {
		z := b.zstd.Get()
		z.Reset(w)
		return z, func() { z.Reset(nil); b.zstd.Put(z) }
	}
	g := b.gzip.Get()
	g.Reset(w)
	return g, func() { g.Reset(io.Discard); b.gzip.Put(g) }
}
