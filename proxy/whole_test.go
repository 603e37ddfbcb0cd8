package proxy

import (
	"bufio"
	"io"
	"strings"
	"testing"
)

// wholeChunked asks for wire as a whole body. If it is none, it must still be readable as any other.
func wholeChunked(t *testing.T, wire string) (body string, ok bool) {
	t.Helper()
	in := bufio.NewReaderSize(strings.NewReader(wire), linkBytes)
	_, _ = in.Peek(1)
	c := &chunkedBody{in: in}
	p, ok := c.whole()
	body = string(p)
	if n, err := c.Read(make([]byte, 1)); ok && (n != 0 || err != io.EOF) {
		t.Errorf("%.60q: after all of it %d, %v", wire, n, err)
	}
	if again, twice := c.whole(); twice {
		t.Errorf("%.60q: a second time %q", wire, again)
	}
	if !ok {
		in := bufio.NewReaderSize(strings.NewReader(wire), linkBytes)
		_, _ = in.Peek(1)
		c := &chunkedBody{in: in}
		c.whole()
		got, err := io.ReadAll(c)
		left, _ := io.ReadAll(in)
		if want, rest, failed := readChunked(strings.NewReader(wire), 16); string(got) != want || string(left) != rest || err != failed && (err != nil || failed != io.EOF) {
			t.Errorf("%.60q: %.60q, %v, then %.60q, want %.60q, %v, then %.60q", wire, got, err, left, want, failed, rest)
		}
	}
	return body, ok
}

func TestWholeChunkedBody(t *testing.T) {
	for wire, want := range map[string]string{
		"0\r\n\r\n":                          "",
		"000\r\n\r\n":                        "",
		"4\r\na 1\n\r\n2\r\nb \r\n0\r\n\r\n": "a 1\nb ",
		"4\r\n\r\n\r\n\r\n0\r\n\r\n":         "\r\n\r\n",
		"A \r\n0123456789\r\n1;x=\"y\"\r\na\r\n0\r\n\r\n":                            "0123456789a",
		strings.Repeat("1\r\na\r\n", 9999) + "0\r\n\r\n":                             strings.Repeat("a", 9999),
		strings.Repeat("1000\r\n"+strings.Repeat("x", 4096)+"\r\n", 9) + "0\r\n\r\n": strings.Repeat("x", 9*4096),
	} {
		if got, ok := wholeChunked(t, wire); !ok || got != want {
			t.Errorf("%.60q: %t, %.60q, want %.60q", wire, ok, got, want)
		}
	}
	for _, wire := range []string{
		"", "0", "0\r\n", "0\r\n\r", "1\r\na\r\n", "1\r\na\r\n0\r\nX: 1\r\n\r\n", "1\r\na\r\n0\r\n\r\nx", "0\r\n\r\n0\r\n\r\n",
		"1\na\r\n0\r\n\r\n", "1\r\nab\r\n0\r\n\r\n", "2\r\na\r\n0\r\n\r\n", "1\r\na\n\n0\r\n\r\n", "-1\r\na\r\n0\r\n\r\n",
		"1\r\na\r\n0\r\n\n\r", "1;" + strings.Repeat("x", 20) + "\r\na\r\n0\r\n\r\n", "fffffffffffffff\r\na\r\n0\r\n\r\n",
	} {
		if got, ok := wholeChunked(t, wire); ok {
			t.Errorf("%q: taken as %q", wire, got)
		}
	}
}

// A body of which something has been read is not to be had at once any more.
func TestWholeChunkedBodyAfterRead(t *testing.T) {
	const wire = "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
	for n := 1; n <= 4; n++ {
		c := &chunkedBody{in: bufio.NewReader(strings.NewReader(wire))}
		if _, err := io.ReadFull(c, make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		if p, ok := c.whole(); ok {
			t.Errorf("after %d bytes: %q", n, p)
		}
		if rest, err := io.ReadAll(c); string(rest) != "abcd"[n:] || err != nil {
			t.Errorf("after %d bytes: %q, %v", n, rest, err)
		}
	}
}

func TestWholeSizedBody(t *testing.T) {
	for _, c := range []struct {
		wire string
		size int64
		ok   bool
	}{{"", 0, true}, {"abc", 3, true}, {"abc", 2, false}, {"abc", 4, false}} {
		in := bufio.NewReader(strings.NewReader(c.wire))
		_, _ = in.Peek(1)
		s := &sizedBody{in: in, left: c.size}
		p, ok := s.whole()
		if ok != c.ok || ok && string(p) != c.wire {
			t.Errorf("%+v: %t, %q", c, ok, p)
		}
		want := c.wire[:min(int(c.size), len(c.wire))]
		if ok {
			want = ""
		}
		if rest, _ := io.ReadAll(s); string(rest) != want {
			t.Errorf("%+v: then %q, want %q", c, rest, want)
		}
	}
}
