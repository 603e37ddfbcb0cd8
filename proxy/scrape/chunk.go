package scrape

import (
	"sync/atomic"

	"github.com/metrics-gate/metrics-gate/proxy/exposition"
	"github.com/metrics-gate/metrics-gate/proxy/internal/freelist"
)

// Sizes of what is held of an answer.
const (
	chunkBytes  = 64 << 10               // a piece of an answer
	smallChunks = 512 << 10 / chunkBytes // an answer up to here is complete before its status is sent
	window      = 1 << 20 / chunkBytes   // a larger one: what lies between the runner and the slowest reader
	spareChunks = 24                     // kept for the next answer
	spareReader = 2
	lentReaders = 4              // whose buffers members may write from at one time
	lentBytes   = 2 * chunkBytes // of each, which a member must take within stall
	readerBytes = 8 * chunkBytes // the largest reader that is kept
)

// chunk is a piece of a labelled answer, maybe compressed. Several write it at a
// time; nobody changes it before the last is done.
type chunk struct {
	data   []byte
	refs   int                // guarded by the flight's mutex
	room   *[chunkBytes]byte  // where data is; nil: it was lent by a Reader
	reader *exposition.Reader // comes back when all are done; nil: none
}

// full reports whether no more fits in.
func (c *chunk) full() bool { return len(c.data) == chunkBytes }

// append takes as much of p as fits in, and returns how much that is.
func (c *chunk) append(p []byte) int {
	n := copy(c.room[len(c.data):], p)
	c.data = c.room[:len(c.data)+n]
	return n
}

// supplies are the large buffers of exchanges.
type supplies struct {
	chunks  *freelist.List[chunk]
	readers *freelist.List[exposition.Reader]
	gzip    *freelist.List[gzipWriter]
	zstd    *freelist.List[zstdWriter]
	lent    atomic.Int32 // readers that chunks keep
}

func newSupplies() *supplies {
	return &supplies{
		chunks: freelist.New[chunk](spareChunks), readers: freelist.New[exposition.Reader](spareReader),
		gzip: freelist.New[gzipWriter](spareReader), zstd: freelist.New[zstdWriter](spareReader),
	}
}

// chunk returns an empty chunk with a reference.
func (s *supplies) chunk() *chunk {
	c := s.chunks.Get()
	if c.room == nil {
		c.room = new([chunkBytes]byte)
	}
	c.data, c.refs = c.room[:0], 1
	return c
}

// done takes back a chunk that nobody refers to.
func (s *supplies) done(c *chunk) {
	switch {
	case c.room != nil:
		s.chunks.Put(c)
	case c.reader != nil:
		s.lent.Add(-1)
		s.keepReader(c.reader)
	}
}

// lend makes a chunk of all of r's answer, if it is complete now, not large, and not too many
// readers wait for slow members already. It keeps r until all are done with it.
func (s *supplies) lend(r *exposition.Reader) (c chunk, ok bool) {
	if s.lent.Add(1) <= lentReaders {
		if whole, ok := r.Whole(lentBytes); ok {
			return chunk{data: whole, refs: 1, reader: r}, true
		}
	}
	s.lent.Add(-1)
	return chunk{}, false
}

// tidy leaves to the garbage collector what no exchange has needed since the last call.
func (s *supplies) tidy() {
	s.chunks.ReleaseIdle()
	s.readers.ReleaseIdle()
	s.gzip.ReleaseIdle()
	s.zstd.ReleaseIdle()
}

// keepReader keeps r for the next exchange, unless a long line has made it large.
func (s *supplies) keepReader(r *exposition.Reader) {
	r.Reset(nil, new(exposition.Format), nil, exposition.Limits{})
	if r.Held() <= readerBytes {
		s.readers.Put(r)
	}
}
