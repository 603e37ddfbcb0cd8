package proxy

import "github.com/metrics-gate/metrics-gate/proxy/exposition"

// Sizes of what is held of an answer.
const (
	chunkBytes  = 64 << 10               // a piece of an answer
	smallChunks = 512 << 10 / chunkBytes // an answer up to here is complete before its status is sent
	window      = 1 << 20 / chunkBytes   // a larger one: what lies between the runner and the slowest reader
	spareChunks = 24                     // kept for the next answer
	spareReader = 2
	readerBytes = 8 * chunkBytes // the largest reader that is kept
)

// chunk is a piece of a labelled answer, maybe compressed. Several write it at a
// time; nobody changes it before the last is done.
type chunk struct {
	n    int // bytes in use
	refs int // guarded by the flight's mutex
	buf  [chunkBytes]byte
}

func (c *chunk) bytes() []byte { return c.buf[:c.n] }

// supplies are the large buffers of exchanges.
type supplies struct {
	chunks  *spares[chunk]
	readers *spares[exposition.Reader]
	gzip    *spares[gzipWriter]
	zstd    *spares[zstdWriter]
}

func newSupplies() *supplies {
	return &supplies{
		chunks: newSpares[chunk](spareChunks), readers: newSpares[exposition.Reader](spareReader),
		gzip: newSpares[gzipWriter](spareReader), zstd: newSpares[zstdWriter](spareReader),
	}
}

// tidy leaves to the garbage collector what no exchange has needed since the last call.
func (s *supplies) tidy() {
	s.chunks.tidy()
	s.readers.tidy()
	s.gzip.tidy()
	s.zstd.tidy()
}

// keepReader keeps r for the next exchange, unless a long line has made it large.
func (s *supplies) keepReader(r *exposition.Reader) {
	if r.Held() <= readerBytes {
		s.readers.put(r)
	}
}
