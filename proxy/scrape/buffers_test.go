package scrape

import (
	"io"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/proxy/exposition"
)

// TestOneLongLineHeldAMegabyte reads a line that makes a Reader grow: it is not kept.
func TestOneLongLineHeldAMegabyte(t *testing.T) {
	for line, kept := range map[string]int{"m 1\n": 1, "m{a=\"" + strings.Repeat("a", 900<<10) + "\"} 1\n": 0} {
		s := newBuffers()
		r := s.readers.Get()
		r.Reset(strings.NewReader(line), new(exposition.Format), nil, exposition.Limits{})
		if _, err := r.WriteTo(io.Discard); err != nil {
			t.Fatal(err)
		}
		s.keepReader(r)
		if s.readers.Len() != kept {
			t.Errorf("line of %d bytes: %d kept, want %d", len(line), s.readers.Len(), kept)
		}
	}
}

// A chunk that a long line has made large is not kept.
func TestLargeChunkIsDropped(t *testing.T) {
	for size, kept := range map[int]int{0: 1, chunkBytes: 1, maxKeptChunk + 1: 0} {
		s := newBuffers()
		c := s.chunk()
		c.data = make([]byte, size)
		c.unref(s)
		if s.chunks.Len() != kept {
			t.Errorf("chunk of %d bytes: %d kept, want %d", size, s.chunks.Len(), kept)
		}
	}
}

// TestSlowWaitersKeepFewReaders borrows the buffers of a few readers, and gives them back with
// the last reference.
func TestSlowWaitersKeepFewReaders(t *testing.T) {
	s := newBuffers()
	lend := func(line string) (chunk, bool) {
		r := s.readers.Get()
		r.Reset(strings.NewReader(line), new(exposition.Format), nil, exposition.Limits{})
		return s.borrow(r)
	}
	var held []chunk
	for range maxBorrowed {
		c, ok := lend("m 1\n")
		if !ok || string(c.data) != "m 1\n" {
			t.Fatalf("%t, %q", ok, c.data)
		}
		held = append(held, c)
	}
	if c, ok := lend("m 1\n"); ok {
		t.Errorf("one more is borrowed: %q", c.data)
	}
	held[0].unref(s)
	if s.readers.Len() != 1 {
		t.Error("the reader did not come back")
	}
	for range 2 * maxBorrowed { // what is not borrowed does not count
		if _, ok := lend("nonsense nonsense\n"); ok {
			t.Error("a broken answer is borrowed")
		}
	}
	if c, ok := lend("m 1\n"); !ok {
		t.Errorf("nothing is borrowed after one came back: %q", c.data)
	}
	if _, ok := lend("m{a=\"" + strings.Repeat("a", 2*maxBorrowedBytes) + "\"} 1\n"); ok {
		t.Error("a large answer is borrowed")
	}
}
