package exposition

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// TestNoAllocations reads bodies with a Reader that has read the same body before.
func TestNoAllocations(t *testing.T) {
	for _, c := range []Conflict{Exported, Keep, Override} {
		l := gateLabels(t, c)
		for k, body := range bodies(t) {
			r, src, f := new(Reader), new(bytes.Reader), &Format{k}
			read := func() {
				src.Reset(body)
				r.Reset(src, f, l, Limits{})
				if _, err := r.WriteTo(io.Discard); err != nil {
					t.Fatal(err)
				}
			}
			read() // the cache has buffers of its own
			got := testing.AllocsPerRun(20, read)
			if got != 0 {
				t.Errorf("%v, %v: %v allocations a body", f, c, got)
			}
		}
	}
}

// endless repeats a piece of an exposition until it has yielded so many bytes.
type endless struct {
	piece []byte
	at    int
	left  int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 && e.at == 0 {
		return 0, io.EOF
	}
	n := copy(p, e.piece[e.at:])
	e.left -= n
	e.at = (e.at + n) % len(e.piece)
	return n, nil
}

// TestMemoryIsConstant labels bodies of 10 and 256 MB. Neither may take much more memory than the
// two buffers.
func TestMemoryIsConstant(t *testing.T) {
	for k, piece := range bodies(t) {
		if k == kindOpenMetrics {
			piece = bytes.ReplaceAll(piece, []byte(eof+"\n"), nil)
		}
		for _, size := range []int{10 << 20, 256 << 20} {
			r := new(Reader)
			var before, after runtime.MemStats
			src := &endless{piece: piece, left: size}
			r.Reset(src, &Format{k}, gateLabels(t, Exported), Limits{Bytes: 1 << 40})
			runtime.ReadMemStats(&before)
			n, err := r.WriteTo(io.Discard)
			runtime.ReadMemStats(&after)
			if k == kindOpenMetrics && err == ErrTruncated { // it has no end
				err = nil
			}
			if err != nil || n < int64(size) {
				t.Fatalf("%v: %d bytes, %v", &Format{k}, n, err)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > 6*chunkBytes {
				t.Errorf("%v of %d bytes: %d bytes allocated", &Format{k}, size, got)
			}
			if held := cap(r.in) + cap(r.out); held > 4*chunkBytes {
				t.Errorf("%v of %d bytes: buffers of %d bytes", &Format{k}, size, held)
			}
		}
	}
}

// TestMemoryOfHostileBodies reads bodies that ask for much memory: a message that claims 4 GiB, lines
// that never end, a family of empty metrics.
func TestMemoryOfHostileBodies(t *testing.T) {
	limits := Limits{LineBytes: 1 << 20, MessageBytes: 1 << 20}
	empty := append([]byte("\x80\x80\x20"), bytes.Repeat([]byte("\x22\x00"), 1<<18-3)...) // 512 KiB
	empty = append(empty, "\x0a\x04name"...)
	for name, c := range map[string]struct {
		kind kind
		body []byte
	}{
		"claims 4 GiB":  {kindProtobuf, []byte("\xff\xff\xff\xff\x0f\x0a")},
		"empty metrics": {kindProtobuf, empty},
		"quote":         {kindText, append([]byte(`m{a="`), bytes.Repeat([]byte("\n"), 4<<20)...)},
		"name":          {kindText, bytes.Repeat([]byte("m"), 4<<20)},
		"blanks":        {kindText, bytes.Repeat([]byte(" "), 4<<20)},
		"labels":        {kindOpenMetrics, append([]byte(`m{`), bytes.Repeat([]byte(`a="",`), 1<<19)...)},
	} {
		r := NewReader(bytes.NewReader(c.body), &Format{c.kind}, gateLabels(t, Exported), limits)
		_, err := r.WriteTo(io.Discard)
		if (err == nil) != (name == "empty metrics") {
			t.Errorf("%s: %v", name, err)
		}
		if held := cap(r.in) + cap(r.out); held > 4<<20 {
			t.Errorf("%s: buffers of %d bytes", name, held)
		}
	}
}

// TestMemoryFollowsTheMessage reads messages up to the default limit. What a Reader holds follows the
// bytes that have arrived, not the length that the message claims or the number of its metrics.
func TestMemoryFollowsTheMessage(t *testing.T) {
	message := func(size int, body []byte) []byte { return append(binary.AppendUvarint(nil, uint64(size)), body...) }
	empty := append(bytes.Repeat([]byte("\x22\x00"), 4<<20), "\x0a\x04name"...) // 4 million metrics, 8 MiB
	for name, c := range map[string]struct {
		body []byte
		held int
		err  error
	}{
		"claims 16 MiB": {message(16<<20, []byte("\x0a")), 6 * chunkBytes, ErrTruncated},
		"cut at 1 MiB":  {message(16<<20, make([]byte, 1<<20)), 3 << 20, ErrTruncated},
		"many metrics":  {message(len(empty), empty), 17 << 20, nil},
		"above 16 MiB":  {message(16<<20+1, make([]byte, 1<<20)), 6 * chunkBytes, ErrTooLong},
		"one field":     {[]byte(bigFamily(8 << 20)), 26 << 20, nil}, // it is copied to the output at once
	} {
		r := NewReader(bytes.NewReader(c.body), &Format{kindProtobuf}, gateLabels(t, Exported), Limits{})
		if _, err := r.WriteTo(io.Discard); err != c.err {
			t.Errorf("%s: %v, want %v", name, err, c.err)
		}
		if held := r.Held(); held > c.held {
			t.Errorf("%s: %d bytes held, want at most %d", name, held, c.held)
		}
	}
}

// TestHeldOfCachedBody counts what a Reader holds of bodies with many families and samples, whose
// values all change their length: at most half a MiB, as the comment on Reader says.
func TestHeldOfCachedBody(t *testing.T) {
	l := gateLabels(t, Exported)
	for _, c := range []struct{ families, samples, help int }{
		{50, 12, 20}, {100, 10, 20}, {200, 5, 20}, {250, 4, 10}, {300, 3, 10},
	} {
		r := new(Reader)
		for _, value := range []int{1, 22, 1, 333, 1, 1, 22, 333, 333, 4444, 55555, 1} {
			var body strings.Builder
			for f := range c.families {
				fmt.Fprintf(&body, "# HELP family_%03d %s\n", f, strings.Repeat("h", c.help))
				for s := range c.samples {
					fmt.Fprintf(&body, "family_%03d{le=\"%d\"} %d\n", f, s, value)
				}
			}
			passOn(r, body.String(), kindText, l)
			lawCacheHolds(t, r)
			if got := r.Held(); got > 8*chunkBytes {
				t.Errorf("%+v: %d bytes held", c, got)
			}
		}
	}
}
