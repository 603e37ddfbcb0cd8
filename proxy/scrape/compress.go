package scrape

import (
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Settings of the compressors, measured on a runner's exposition: see
// BenchmarkCompress.
const (
	gzipLevel  = 1
	zstdWindow = 128 << 10
)

// compressor is what the two libraries have in common.
type compressor interface {
	io.WriteCloser
	Reset(w io.Writer)
}

// gzipWriter and zstdWriter are compressors whose zero value can be Reset. They
// hold about 1 MB each, so few are kept.
type (
	gzipWriter struct{ *gzip.Writer }
	zstdWriter struct{ *zstd.Encoder }
)

// Reset makes g as new, writing to w.
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

// Reset makes z as new, writing to w.
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

// compressor takes a compressor for e, which must not be identity, and returns
// what gives it back.
func (s *supplies) compressor(e encoding, w io.Writer) (c compressor, done func()) {
	if e == encodingZstd {
		z := s.zstd.Get()
		z.Reset(w)
		return z, func() { z.Reset(nil); s.zstd.Put(z) }
	}
	g := s.gzip.Get()
	g.Reset(w)
	return g, func() { g.Reset(io.Discard); s.gzip.Put(g) }
}
