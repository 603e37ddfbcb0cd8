package upstream

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
)

// readChunked reads wire as a chunked body, in pieces of at most piece bytes, and returns
// what is left behind it as well.
func readChunked(source io.Reader, piece int) (body, rest string, err error) {
	in := bufio.NewReaderSize(source, readBufferBytes)
	c := &chunkedBody{in: in}
	var got []byte
	buf := make([]byte, piece)
	for err == nil {
		var n int
		n, err = c.Read(buf)
		got = append(got, buf[:n]...)
	}
	if n, again := c.Read(buf); n != 0 || again != err {
		return "", "", fmt.Errorf("%d, %v after %v", n, again, err)
	}
	left, _ := io.ReadAll(in)
	return string(got), string(left), err
}

func TestChunkedBody(t *testing.T) {
	for name, c := range map[string]struct {
		wire, body, rest string
		err              error
	}{
		"empty":      {"0\r\n\r\n", "", "", io.EOF},
		"two chunks": {"4\r\na 1\n\r\n2\r\nb \r\n0\r\n\r\n", "a 1\nb ", "", io.EOF},
		"digits of both cases": {
			"0000a\r\n0123456789\r\nA\r\n0123456789\r\n00\r\n\r\n", "01234567890123456789", "", io.EOF,
		},
		"line ends as data":      {"4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", "", io.EOF},
		"spaces after a size":    {"1 \t\r\na\r\n0\t\r\n\r\n", "a", "", io.EOF},
		"extensions":             {"1;a=\"b\";c\r\na\r\n0;d\r\n\r\n", "a", "", io.EOF},
		"trailer":                {"1\r\na\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n", "a", "", io.EOF},
		"more after the end":     {"1\r\na\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n", "a", "HTTP/1.1 200 OK\r\n", io.EOF},
		"more after the trailer": {"1\r\na\r\n0\r\nX: 1\r\n\r\n\r\n", "a", "\r\n", io.EOF},
		"no size":                {"\r\na", "", "a", errChunkSize},
		"no number":              {"1\r\na\r\nxyz\r\n", "a", "", errChunkSize},
		"prefix of hexadecimal":  {"0x1\r\na\r\n", "", "a\r\n", errChunkSize},
		"sign":                   {"+1\r\na\r\n", "", "a\r\n", errChunkSize},
		"minus":                  {"-1\r\na\r\n", "", "a\r\n", errChunkSize},
		"underscore":             {"1_0\r\na\r\n", "", "a\r\n", errChunkSize},
		"space before a size":    {" 1\r\na\r\n", "", "a\r\n", errChunkSize},
		"space before extension": {"1 ;a\r\na\r\n", "", "a\r\n", errChunkSize},
		"extension without size": {";a\r\na\r\n", "", "a\r\n", errChunkSize},
		"overflow to one":        {"10000000000000001\r\na\r\n", "", "a\r\n", errChunkSize},
		"overflow to negative":   {"8000000000000001\r\na\r\n", "", "a\r\n", errChunkSize},
		"zeros without end":      {"0000000000000001\r\na\r\n", "", "a\r\n", errChunkSize},
		"bare LF after a size":   {"1\na\r\n0\r\n\r\n", "", "a\r\n0\r\n\r\n", errChunkLine},
		"bare LF alone":          {"\na", "", "a", errChunkLine},
		"bare LF in extension":   {"1;a\nb\r\na\r\n", "", "b\r\na\r\n", errChunkLine},
		"bare CR in extension":   {"1;a\rb\r\na\r\n", "", "a\r\n", errChunkLine},
		"two CR":                 {"1\r\r\na\r\n", "", "a\r\n", errChunkLine},
		"long size line":         {"1;" + strings.Repeat("x", sizeBytes-2) + "\r\na", "", "a", errChunkLine},
		"size line without end":  {strings.Repeat("0", readBufferBytes+1), "", "0", errChunkLine},
		"bare LF after a chunk":  {"1\r\na\n0\r\n\r\n", "a", "\n0\r\n\r\n", errChunkEnd},
		"chunk longer than told": {"1\r\nab\r\n0\r\n\r\n", "a", "b\r\n0\r\n\r\n", errChunkEnd},
		"no CRLF after a chunk":  {"1\r\na0\r\n\r\n", "a", "0\r\n\r\n", errChunkEnd},
		"bare LF at the end":     {"0\r\n\n\r\n\r\n", "", "\n\r\n\r\n", errTrailer},
		"trailer without colon":  {"0\r\nX\r\n\r\n", "", "X\r\n\r\n", errTrailer},
		"trailer folded":         {"0\r\nX: a\r\n b: c\r\n\r\n", "", "X: a\r\n b: c\r\n\r\n", errTrailer},
		"trailer begins folded":  {"0\r\n X: a\r\n\r\n", "", " X: a\r\n\r\n", errTrailer},
		"trailer with bare LF":   {"0\r\nX: a\nY: b\r\n\r\n", "", "X: a\nY: b\r\n\r\n", errTrailer},
		"trailer with NUL":       {"0\r\nX: a\x00\r\n\r\n", "", "X: a\x00\r\n\r\n", errTrailer},
		"trailer with control":   {"0\r\nX: a\x01\r\n\r\n", "", "X: a\x01\r\n\r\n", errTrailer},
		"trailer of no token":    {"0\r\nX(: a\r\n\r\n", "", "X(: a\r\n\r\n", errTrailer},
		"long trailer": {
			"0\r\nX: " + strings.Repeat("x", trailerBytes) + "\r\n\r\n", "",
			"X: " + strings.Repeat("x", trailerBytes) + "\r\n\r\n", errTrailer,
		},
		"little data, much else": {
			strings.Repeat("1;"+strings.Repeat("x", 1000)+"\r\na\r\n", 20), strings.Repeat("a", 16),
			"a\r\n" + strings.Repeat("1;"+strings.Repeat("x", 1000)+"\r\na\r\n", 3), errChunkExcess,
		},
		"one byte a chunk": {
			strings.Repeat("1\r\na\r\n", 9999) + "0\r\n\r\n", strings.Repeat("a", 9999), "", io.EOF,
		},
	} {
		for _, piece := range []int{1, 2, 3, 5, 4096, 1 << 20} {
			for way, source := range map[string]io.Reader{
				"whole": strings.NewReader(c.wire), "byte by byte": iotest.OneByteReader(strings.NewReader(c.wire)),
			} {
				if way != "whole" && len(c.wire) > 2*trailerBytes && piece > 1 {
					continue // slow, and nothing new
				}
				body, rest, err := readChunked(source, piece)
				if body != c.body || rest != c.rest || err != c.err {
					t.Errorf(
						"%s, %s, by %d: %.60q, %v, then %.60q\nwant %.60q, %v, then %.60q",
						name,
						way,
						piece,
						body,
						err,
						rest,
						c.body,
						c.err,
						c.rest,
					)
				}
			}
		}
	}
}

// TestChunkedBodyBreaksOff: a body that is cut anywhere is never taken for a whole one.
func TestChunkedBodyBreaksOff(t *testing.T) {
	wire := "4;x=y\r\na 1\n\r\n2\r\nb \r\n0 \r\nX-Trailer: 1\r\n\r\n"
	for cut := range len(wire) {
		body, rest, err := readChunked(strings.NewReader(wire[:cut]), 16)
		if err != io.ErrUnexpectedEOF || !strings.HasPrefix("a 1\nb ", body) {
			t.Errorf("cut after %d bytes: %q, %v, then %q", cut, body, err, rest)
		}
		broken := errors.New("broken")
		_, _, err = readChunked(io.MultiReader(strings.NewReader(wire[:cut]), iotest.ErrReader(broken)), 16)
		if err != broken {
			t.Errorf("error after %d bytes: %v", cut, err)
		}
	}
}

// TestChunkedBodyFills: one Read takes all chunks that are there, and does not wait for
// more, wherever they end.
func TestChunkedBodyFills(t *testing.T) {
	wire := strings.Repeat("8\r\n01234567\r\n", 4)
	for cut := len("8\r\n0"); cut <= len(wire); cut++ {
		gone := errors.New("asked for more")
		in := bufio.NewReaderSize(
			io.MultiReader(strings.NewReader(wire[:cut]), iotest.ErrReader(gone)),
			readBufferBytes,
		)
		c := &chunkedBody{in: in}
		whole, within := cut/13, min(max(cut%13-3, 0), 8)
		buf := make([]byte, 64)
		if n, err := c.Read(buf); n != whole*8+within || err != nil {
			t.Errorf("cut at %d: %d, %v, want %d", cut, n, err, whole*8+within)
		}
		if n, err := c.Read(nil); n != 0 || err != nil {
			t.Errorf("cut at %d: %d, %v for no room", cut, n, err)
		}
	}
	for _, end := range []string{"0\r\n", "0\r\n\r", "0\r\nX: 1\r\n"} {
		c := &chunkedBody{
			in: bufio.NewReader(
				io.MultiReader(strings.NewReader("1\r\na\r\n"+end), iotest.ErrReader(io.ErrClosedPipe)),
			),
		}
		if n, err := c.Read(make([]byte, 64)); n != 1 || err != nil {
			t.Errorf("before the rest of %q: %d, %v", end, n, err)
		}
	}
}

func TestSizedBody(t *testing.T) {
	for _, c := range []struct {
		wire string
		size int64
		body string
		err  error
	}{
		{"", 0, "", io.EOF}, {"abc", 0, "", io.EOF}, {"abc", 2, "ab", io.EOF}, {"abc", 3, "abc", io.EOF},
		{"abc", 4, "abc", io.ErrUnexpectedEOF}, {"", 1, "", io.ErrUnexpectedEOF},
	} {
		for _, piece := range []int{1, 2, 16} {
			in := bufio.NewReader(strings.NewReader(c.wire))
			s := &sizedBody{in: in, remaining: c.size}
			if n, err := s.Read(nil); n != 0 || c.size > 0 && err != nil {
				t.Errorf("%d, %v for no room", n, err)
			}
			var got []byte
			var err error
			for buf := make([]byte, piece); err == nil; {
				var n int
				n, err = s.Read(buf)
				got = append(got, buf[:n]...)
			}
			rest, _ := io.ReadAll(in)
			if string(got) != c.body || err != c.err || string(got)+string(rest) != c.wire {
				t.Errorf("%+v by %d: %q, %v, then %q", c, piece, got, err, rest)
			}
			if n, again := s.Read(make([]byte, 1)); n != 0 || again != err {
				t.Errorf("%+v by %d: %d, %v again", c, piece, n, again)
			}
		}
	}
}

// FuzzChunkedBody: what net/http refuses is refused, and what is taken is what net/http
// takes, up to the same byte, however it is read.
func FuzzChunkedBody(f *testing.F) {
	for _, wire := range []string{
		"0\r\n\r\n", "4\r\na 1\n\r\n0\r\n\r\n", "1;x=y\r\na\r\n0\r\nX: 1\r\n\r\nrest", "1\na\r\n",
		"fffffffffffffffff\r\n", "0\r\nX: a\n\r\n\r\n",
	} {
		f.Add([]byte(wire), uint16(3))
	}
	f.Fuzz(func(t *testing.T, wire []byte, piece uint16) {
		in := bufio.NewReaderSize(
			io.MultiReader(
				strings.NewReader("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
				strings.NewReader(string(wire)),
			),
			readBufferBytes,
		)
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, wantErr := io.ReadAll(res.Body)
		wantRest, _ := io.ReadAll(in)
		body, rest, err := readChunked(strings.NewReader(string(wire)), int(piece)+1)
		switch {
		case err != io.EOF && wantErr == nil && !stricter(err, string(wire)):
			t.Fatalf("refused %q: %v", wire, err)
		case err == io.EOF && wantErr != nil:
			t.Fatalf("took %q, net/http: %v", wire, wantErr)
		case err == io.EOF && (body != string(want) || rest != string(wantRest)):
			t.Fatalf("%q then %q, net/http %q then %q", body, rest, want, wantRest)
		case !strings.HasPrefix(body, string(want)) && !strings.HasPrefix(string(want), body):
			t.Fatalf("%q, net/http %q", body, want)
		}
		if wantErr == io.ErrUnexpectedEOF && err != io.ErrUnexpectedEOF && !stricter(err, string(wire)) {
			t.Fatalf("%v, net/http: breaks off", err)
		}
	})
}

// stricter reports whether err is one that net/http may not have with wire: a size of more
// than 15 digits, or a trailer section that is not as it should be.
func stricter(err error, wire string) bool {
	return err == errTrailer || err == errChunkSize && regexp.MustCompile("[0-9a-fA-F]{16}").MatchString(wire)
}
