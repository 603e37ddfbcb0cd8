package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// chunkedAtHand asks for wire as a whole body. If it is none, it must still be readable as any other.
func chunkedAtHand(t *testing.T, wire string) (body string, ok bool) {
	t.Helper()
	in := bufio.NewReaderSize(strings.NewReader(wire), linkBytes)
	_, _ = in.Peek(1)
	c := &chunkedBody{in: in}
	p, ok := c.atHand()
	body = string(p)
	if n, err := c.Read(make([]byte, 1)); ok && (n != 0 || err != io.EOF) {
		t.Errorf("%.60q: after all of it %d, %v", wire, n, err)
	}
	if again, twice := c.atHand(); twice {
		t.Errorf("%.60q: a second time %q", wire, again)
	}
	if !ok {
		in := bufio.NewReaderSize(strings.NewReader(wire), linkBytes)
		_, _ = in.Peek(1)
		c := &chunkedBody{in: in}
		c.atHand()
		got, err := io.ReadAll(c)
		left, _ := io.ReadAll(in)
		if want, rest, failed := readChunked(strings.NewReader(wire), 16); string(got) != want || string(left) != rest || err != failed && (err != nil || failed != io.EOF) {
			t.Errorf("%.60q: %.60q, %v, then %.60q, want %.60q, %v, then %.60q", wire, got, err, left, want, failed, rest)
		}
	}
	return body, ok
}

func TestChunkedBodyAtHand(t *testing.T) {
	for wire, want := range map[string]string{
		"0\r\n\r\n":                          "",
		"000\r\n\r\n":                        "",
		"4\r\na 1\n\r\n2\r\nb \r\n0\r\n\r\n": "a 1\nb ",
		"4\r\n\r\n\r\n\r\n0\r\n\r\n":         "\r\n\r\n",
		"A \r\n0123456789\r\n1;x=\"y\"\r\na\r\n0\r\n\r\n":                            "0123456789a",
		strings.Repeat("1\r\na\r\n", 9999) + "0\r\n\r\n":                             strings.Repeat("a", 9999),
		strings.Repeat("1000\r\n"+strings.Repeat("x", 4096)+"\r\n", 9) + "0\r\n\r\n": strings.Repeat("x", 9*4096),
	} {
		if got, ok := chunkedAtHand(t, wire); !ok || got != want {
			t.Errorf("%.60q: %t, %.60q, want %.60q", wire, ok, got, want)
		}
	}
	for _, wire := range []string{
		"", "0", "0\r\n", "0\r\n\r", "1\r\na\r\n", "1\r\na\r\n0\r\nX: 1\r\n\r\n", "1\r\na\r\n0\r\n\r\nx", "0\r\n\r\n0\r\n\r\n",
		"1\na\r\n0\r\n\r\n", "1\r\nab\r\n0\r\n\r\n", "2\r\na\r\n0\r\n\r\n", "1\r\na\n\n0\r\n\r\n", "-1\r\na\r\n0\r\n\r\n",
		"1\r\na\r\n0\r\n\n\r", "1;" + strings.Repeat("x", 20) + "\r\na\r\n0\r\n\r\n", "fffffffffffffff\r\na\r\n0\r\n\r\n",
	} {
		if got, ok := chunkedAtHand(t, wire); ok {
			t.Errorf("%q: taken as %q", wire, got)
		}
	}
}

// A body of which something has been read is not to be had at once any more.
func TestChunkedBodyAtHandAfterRead(t *testing.T) {
	const wire = "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
	for n := 1; n <= 4; n++ {
		c := &chunkedBody{in: bufio.NewReader(strings.NewReader(wire))}
		if _, err := io.ReadFull(c, make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		if p, ok := c.atHand(); ok {
			t.Errorf("after %d bytes: %q", n, p)
		}
		if rest, err := io.ReadAll(c); string(rest) != "abcd"[n:] || err != nil {
			t.Errorf("after %d bytes: %q, %v", n, rest, err)
		}
	}
}

func TestSizedBodyAtHand(t *testing.T) {
	for _, c := range []struct {
		wire string
		size int64
		ok   bool
	}{{"", 0, true}, {"abc", 3, true}, {"abc", 2, false}, {"abc", 4, false}} {
		in := bufio.NewReader(strings.NewReader(c.wire))
		_, _ = in.Peek(1)
		s := &sizedBody{in: in, left: c.size}
		p, ok := s.atHand()
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

func TestAnswerAtHandKeepsToMost(t *testing.T) {
	const wire = "3\r\nabc\r\n0\r\n\r\n"
	for most := range len(wire) + 2 {
		in := bufio.NewReader(strings.NewReader(wire))
		_, _ = in.Peek(1)
		a := &answer{link: &link{in: in}}
		a.chunks.in, a.body = in, &a.chunks
		p, ok := a.AtHand(most)
		if ok != (most >= len(wire)) || ok != a.drained || ok && string(p) != "abc" || !ok && in.Buffered() != len(wire) {
			t.Errorf("at most %d: %q, %t, drained %t, then %d bytes", most, p, ok, a.drained, in.Buffered())
		}
	}
	a := &answer{link: &link{in: bufio.NewReader(strings.NewReader(wire))}, body: strings.NewReader(wire)}
	if p, ok := a.AtHand(1 << 20); ok {
		t.Errorf("of net/http's body: %q", p)
	}
}

// TestAnswersAtHand lets several clients scrape a runner whose values grow from answer to answer, which comes in chunks or
// with its length, and at times in two parts or broken. Each answer must be one of the runner's, and nothing else.
func TestAnswersAtHand(t *testing.T) {
	body := func(n int) string {
		var b strings.Builder
		for f := range 40 {
			fmt.Fprintf(&b, "# HELP family_%d h\nfamily_%d{s=\"a\"} %d\nfamily_%d{s=\"b\"} %d\n", f, f, n, f, n)
		}
		return b.String()
	}
	head := "HTTP/1.1 200 OK\r\nContent-Type: " + textType + "\r\n"
	r := serveRaw(t, func(c net.Conn, request string, n int) bool {
		b := body(n)
		wire := fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(b), b)
		if strings.Contains(request, "q=0.9") {
			half := len(b) / 2
			wire = fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", head, half, b[:half], len(b)-half, b[half:])
		}
		at := len(wire)
		if n%10 == 0 {
			at -= n
		}
		_, err := io.WriteString(c, wire[:at])
		if n%20 == 0 {
			return false
		}
		if err == nil && at < len(wire) {
			_, err = io.WriteString(c, wire[at:])
		}
		return err == nil
	})
	g := newGate(t, r.addr())
	var group sync.WaitGroup
	var good atomic.Int32
	for client := range 4 {
		group.Go(func() {
			for n := range 60 {
				request, _ := http.NewRequest(http.MethodGet, g.URL+"/metrics", nil)
				request.Header.Set("Accept", fmt.Sprintf("text/plain;version=0.0.4;q=0.%d", 8+client%2))
				request.Header.Set("Accept-Encoding", "identity")
				res, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || res.StatusCode == http.StatusBadGateway {
					continue // the runner broke off
				}
				var value int
				_, _ = fmt.Sscan(string(got[strings.LastIndexByte(strings.TrimSpace(string(got)), ' '):]), &value)
				if want := strings.ReplaceAll(body(value), `"} `, `",runner_name="r1"} `); string(got) != want {
					t.Errorf("client %d, scrape %d: %d, %.200q", client, n, res.StatusCode, got)
				}
				good.Add(1)
			}
		})
	}
	group.Wait()
	if n := good.Load(); n < 4*60*3/4 {
		t.Errorf("%d answers of %d", n, 4*60)
	}
}
