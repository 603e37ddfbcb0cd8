package proxy

import "github.com/metrics-gate/metrics-gate/proxy/exposition"

// Sizes of what is held of an answer.
const (
	chunkBytes  = 64 << 10               // a piece of an answer
	smallChunks = 512 << 10 / chunkBytes // an answer up to here is complete before its status is sent
	window      = 1 << 20 / chunkBytes   // a larger one: what lies between the runner and the slowest reader
	spareChunks = 24                     // kept for the next answer
	spareReader = 2
)

// chunk is a piece of a labelled answer, maybe compressed. Several write it at a
// time; nobody changes it before the last is done.
type chunk struct {
	n    int // bytes in use
	refs int // guarded by the flight's mutex
	buf  [chunkBytes]byte
}

func (c *chunk) bytes() []byte { return c.buf[:c.n] }

// spares is a free list of bounded length. Unlike a sync.Pool it neither grows
// with a burst nor loses everything to the garbage collector between two scrapes.
type spares[T any] chan *T

// get takes a spare, or returns a new T.
func (s spares[T]) get() *T {
	select {
	case t := <-s:
		return t
	default:
		return new(T)
	}
}

// put keeps t, or leaves it to the garbage collector.
func (s spares[T]) put(t *T) {
	select {
	case s <- t:
	default:
	}
}

// supplies are the large buffers of exchanges.
type supplies struct {
	chunks  spares[chunk]
	readers spares[exposition.Reader]
	gzip    spares[gzipWriter]
	zstd    spares[zstdWriter]
}

func newSupplies() *supplies {
	return &supplies{
		chunks: make(spares[chunk], spareChunks), readers: make(spares[exposition.Reader], spareReader),
		gzip: make(spares[gzipWriter], spareReader), zstd: make(spares[zstdWriter], spareReader),
	}
}
