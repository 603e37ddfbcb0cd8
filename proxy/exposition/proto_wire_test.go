package exposition

import (
	"encoding/binary"
	"strings"
	"testing"
)

func TestUvarint(t *testing.T) {
	for _, x := range []uint64{0, 1, 127, 128, 16383, 16384, 1<<32 - 1, 1 << 32, 1<<63 - 1, 1<<64 - 1} {
		b := binary.AppendUvarint([]byte{9}, x)
		if got, n := uvarint(append(b, 9), 1); got != x || n != len(b) {
			t.Errorf("%d: %d, %d", x, got, n)
		}
		if x < 1<<32 && uvarintSize(int(x)) != len(b)-1 {
			t.Errorf("size of %d is %d", x, uvarintSize(int(x)))
		}
		if _, n := uvarint(b[:len(b)-1], 1); n != 0 {
			t.Errorf("%d, cut: %d", x, n)
		}
	}
	nine := strings.Repeat("\xff", 9)
	for _, bad := range []string{"", "\xff", nine + "\x02", nine + "\xff\x01"} {
		if _, n := uvarint([]byte(bad), 0); n != 0 {
			t.Errorf("%q: %d", bad, n)
		}
	}
	if x, n := uvarint([]byte("\x81\x80\x00"), 0); x != 1 || n != 3 {
		t.Errorf("longer than needed: %d, %d", x, n)
	}
}

func TestNext(t *testing.T) {
	for in, want := range map[string]field{
		"\x0a\x02ab":               {1<<3 | wireBytes, 1, 2, 4},
		"\x0a\x82\x00ab":           {1<<3 | wireBytes, 1, 3, 5},
		"\x8a\x00\x02ab":           {1<<3 | wireBytes, 2, 3, 5},
		"\x0a\x00":                 {1<<3 | wireBytes, 1, 2, 2},
		"\x08\xff\x01":             {1<<3 | wireVarint, 1, 1, 3},
		"\x0912345678":             {1<<3 | wireFixed64, 1, 1, 9},
		"\x0d1234":                 {1<<3 | wireFixed32, 1, 1, 5},
		"\x0b\x0c":                 {1<<3 | wireStartGroup, 1, 1, 2},
		"\x0b\x13\x08\x01\x14\x0c": {1<<3 | wireStartGroup, 1, 1, 6},
		"\x0b\x0a\x01\x0c\x0c":     {1<<3 | wireStartGroup, 1, 1, 5},
		"":                         {},
		"\x0a":                     {},
		"\x0a\x03ab":               {},
		"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01": {},
		"\x02\x00":                     {},
		"\x0c":                         {},
		"\x0e\x00":                     {},
		"\x0f\x00":                     {},
		"\x091234567":                  {},
		"\x0d123":                      {},
		"\x08":                         {},
		"\x0b":                         {},
		"\x0b\x13\x14":                 {},
		"\x0b\x0a\x05\x0c":             {},
		"\x8a\x80\x80\x80\x10\x00":     {},
		"\x8a\x80\x80\x80\x80\x01\x00": {},
	} {
		if got := next([]byte(in), 0); got != want && (got.end != 0 || want.end != 0) {
			t.Errorf("%q: %+v, want %+v", in, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	for in, want := range map[string]bool{
		"":                                 true,
		"\x08\x01":                         true,  // sample_count
		"\x08\xff\xff\x01":                 true,  // a longer one
		"\x0912345678":                     false, // of another wire type
		"\x1a\x02\x08\x01":                 true,  // bucket
		"\x1a\x02\x08\xff":                 false, // whose varint is cut
		"\x1a\x02\x09\x01":                 false, // whose count is no varint
		"\x1a\x00":                         true,
		"\x52\x03\x02\x80\x01":             true,  // packed deltas
		"\x52\x02\x02\x80":                 false, // cut
		"\x50\x02":                         true,  // not packed
		"\x5a\x0812345678":                 true,  // packed counts
		"\x5a\x071234567":                  false,
		"\x5912345678":                     true,
		"\x82\x01\x02\x0a\x00":             true, // exemplar with an empty label
		"\x82\x01\x05\x0a\x03\x0a\x01\xff": true, // and with one that is not UTF-8, which Prometheus reads
		"\x7a\x02\x08\x01":                 true, // created
		"\x7a\x02\x0a\x01":                 false,
		"\xf2\x06\x01\xff":                 true, // unknown
	} {
		if got := check([]byte(in), schema('H')); got != want {
			t.Errorf("%q: %v", in, got)
		}
	}
	if schema('?') != "" {
		t.Error("schema of an unknown message")
	}
}
