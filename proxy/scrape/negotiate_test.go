package scrape

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// decode undoes an encoding.
func decode(t testing.TB, encoding, body string) string {
	t.Helper()
	var r io.Reader = strings.NewReader(body)
	var err error
	switch encoding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "zstd":
		var z *zstd.Decoder
		z, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(1<<20))
		if z != nil {
			defer z.Close()
		}
		r = z
	}
	if err != nil {
		t.Error(err)
		return ""
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

func TestNegotiate(t *testing.T) {
	for fields, want := range map[string]encoding{
		"":                                  encodingIdentity,
		"gzip":                              encodingGzip,
		"identity":                          encodingIdentity,
		"GZIP":                              encodingGzip,
		"x-gzip":                            encodingGzip,
		"zstd":                              encodingZstd,
		"gzip, zstd":                        encodingZstd,
		"gzip, deflate, br":                 encodingGzip,
		"deflate, br":                       encodingIdentity,
		"gzip;q=0":                          encodingIdentity,
		"gzip;q=0.0":                        encodingIdentity,
		"gzip; q=0.5 , zstd;q=0.1":          encodingGzip,
		"gzip;q=0, *":                       encodingIdentity,
		"*":                                 encodingGzip,
		"*;q=0":                             encodingIdentity,
		"zstd;q=0, *;q=0.3":                 encodingGzip,
		"identity;q=0":                      encodingIdentity,
		"identity;q=0, gzip;q=0.1":          encodingGzip,
		"identity, gzip;q=0.5":              encodingIdentity,
		"identity;q=0.5, gzip;q=0.5":        encodingGzip,
		"gzip;q=0.5, zstd;q=0.5":            encodingZstd,
		"gzip;q=2":                          encodingIdentity,
		"gzip;q=NaN":                        encodingIdentity,
		"gzip;q=-1":                         encodingIdentity,
		"gzip;level=9":                      encodingIdentity,
		"gzip;q":                            encodingIdentity,
		",,;,gzip":                          encodingGzip,
		"gzip\x00":                          encodingIdentity,
		strings.Repeat("a,", 1000) + "gzip": encodingGzip,
	} {
		if got := negotiate([]string{fields}); got != want {
			t.Errorf("%.60q: %v, want %v", fields, got, want)
		}
	}
	if got := negotiate([]string{"identity;q=0.1", "zstd"}); got != encodingZstd {
		t.Errorf("two fields: %v", got)
	}
	if n := testing.AllocsPerRun(100, func() { negotiate([]string{"zstd, gzip;q=0.5"}) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if got := negotiate(nil); got != encodingIdentity {
		t.Errorf("no field: %v", got)
	}
}

func TestCompressorsAreReused(t *testing.T) {
	s := newBuffers()
	body := readRunner(t)
	for range 3 {
		for _, e := range []encoding{encodingGzip, encodingZstd} {
			var b bytes.Buffer
			c, done := s.compressor(e, &b)
			if _, err := io.WriteString(c, body); err != nil {
				t.Fatal(err)
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			done()
			if decode(t, e.String(), b.String()) != body {
				t.Errorf("%v: changed on the way", e)
			}
		}
	}
	if s.gzip.Len() != 1 || s.zstd.Len() != 1 {
		t.Errorf("%d and %d kept, want one of each", s.gzip.Len(), s.zstd.Len())
	}
}

// BenchmarkCompress is how the settings in compress.go were chosen.
func BenchmarkCompress(b *testing.B) {
	body := []byte(readRunner(b))
	for name, c := range map[string]compressor{
		"gzip-stateless":  must(gzip.NewWriterLevel(io.Discard, gzip.StatelessCompression)),
		"gzip-huffman":    must(gzip.NewWriterLevel(io.Discard, gzip.HuffmanOnly)),
		"gzip-1":          must(gzip.NewWriterLevel(io.Discard, 1)),
		"gzip-2":          must(gzip.NewWriterLevel(io.Discard, 2)),
		"gzip-3":          must(gzip.NewWriterLevel(io.Discard, 3)),
		"gzip-5":          must(gzip.NewWriterLevel(io.Discard, 5)),
		"zstd-fastest":    zstdFor(zstd.SpeedFastest, 128<<10),
		"zstd-fastest-1M": zstdFor(zstd.SpeedFastest, 1<<20),
		"zstd-default":    zstdFor(zstd.SpeedDefault, 128<<10),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			var n counter
			for b.Loop() {
				n = 0
				c.Reset(&n)
				_, _ = c.Write(body)
				_ = c.Close()
			}
			b.ReportMetric(float64(n), "out-bytes")
		})
	}
}

type counter int

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func zstdFor(level zstd.EncoderLevel, window int) compressor {
	return must(zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false)))
}
