package upstream

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
)

// knownDate and what follows are in the heads of these tests.
const (
	knownDate = "Sun, 22 Nov 2026 13:05:06 GMT"
	knownBody = "4\r\na 1\n\r\n0\r\n\r\n"
)

func headOf(lines ...string) string {
	return "HTTP/1.1 200 OK\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// told is what an exchange gives.
type outcome struct {
	kind, disposition, body string
	reason                  string // of the error, or empty
	kept                    bool
}

// tell asks the runner of u once.
func exchange(t *testing.T, u *Client, method string) (got outcome, known bool) {
	t.Helper()
	a, err := u.Do(&Request{Method: method, Path: "/metrics", Deadline: time.Now().Add(5 * time.Second)}, new(Exchange))
	if err != nil {
		return outcome{reason: ReasonOf(err).String()}, false
	}
	got.kind, got.disposition = a.ContentType, a.Disposition
	if method != "HEAD" {
		body, err := io.ReadAll(a)
		if got.body = string(body); err != nil {
			got.reason = ReasonOf(err).String()
		}
	}
	a.Close()
	u.mu.Lock()
	defer u.mu.Unlock()
	got.kept = len(u.idle) == 1
	return got, a.cached
}

// TestKnownHeadChangesNothing: whatever the second answer of a connection is, it is read
// like the first one of another.
func TestKnownHeadChangesNothing(t *testing.T) {
	date, kind, coding := "Date: "+knownDate, "Content-Type: "+proxytest.TextType, "Transfer-Encoding: chunked"
	good := headOf(kind, date, coding)
	sized := headOf(date, kind, "Content-Length: 4")
	for name, c := range map[string]struct {
		first, second string
		known         bool
	}{
		"the same": {good + knownBody, good + knownBody, true},
		"another date": {
			good + knownBody, headOf(kind, "Date: Mon, 23 Nov 2026 00:00:00 GMT", coding) + knownBody, true,
		},
		"date of anything visible": {
			good + knownBody, headOf(kind, "Date: "+strings.Repeat(":", 29), coding) + knownBody, true,
		},
		"no date": {headOf(kind, coding) + knownBody, headOf(kind, coding) + knownBody, true},
		"empty date": {
			headOf(kind, "Date:", coding) + knownBody, headOf(kind, "Date:", coding) + knownBody, true,
		},
		"date in lower case": {
			headOf("date:x", kind, coding) + knownBody, headOf("date:y", kind, coding) + knownBody, true,
		},
		"with a length":     {sized + "a 1\n", sized + "b 2\n", true},
		"length of nothing": {headOf(kind, "Content-Length: 0"), headOf(kind, "Content-Length: 0"), true},
		"disposition": {
			headOf(kind, coding, "Content-Disposition: x") + knownBody,
			headOf(kind, coding, "Content-Disposition: x") + knownBody, true,
		},
		"extension and trailer":    {good + knownBody, good + "4;a=b\r\na 1\n\r\n0\r\nX: 1\r\n\r\n", true},
		"no number":                {good + knownBody, good + "4\r\na 1\n\r\nx\r\n", true},
		"breaks off":               {good + knownBody, good + "4\r\na 1", true},
		"breaks off with a length": {sized + "a 1\n", sized + "b", true},
		"more after the end":       {good + knownBody, good + knownBody + "HTTP/1.1 200 OK\r\n", true},
		"more after the length":    {sized + "a 1\n", sized + "a 1\nb 2\n", true},
		"longer date":              {good + knownBody, headOf(kind, date+" ", coding) + knownBody, false},
		"shorter date":             {good + knownBody, headOf(kind, date[:len(date)-1], coding) + knownBody, false},
		"date with a control": {
			good + knownBody, headOf(kind, date[:20]+"\x01"+date[21:], coding) + knownBody, false,
		},
		"date with DEL": {
			good + knownBody, headOf(kind, date[:20]+"\x7f"+date[21:], coding) + knownBody, false,
		},
		"date with a byte above ASCII": {
			good + knownBody, headOf(kind, date[:20]+"\xe4"+date[21:], coding) + knownBody, false,
		},
		"date with a tab": {
			good + knownBody, headOf(kind, date[:20]+"\t"+date[21:], coding) + knownBody, false,
		},
		"date with NUL": {
			good + knownBody, headOf(kind, date[:20]+"\x00"+date[21:], coding) + knownBody, false,
		},
		"date with bare LF": {
			good + knownBody, headOf(kind, date[:20]+"\n"+date[21:], coding) + knownBody, false,
		},
		"date with bare CR": {
			good + knownBody, headOf(kind, date[:20]+"\r"+date[21:], coding) + knownBody, false,
		},
		"a line in the date": {
			good + knownBody, headOf(kind, date[:12]+"\r\nX: 1"+date[18:], coding) + knownBody, false,
		},
		"a length in the date": {
			good + knownBody, headOf(kind, "Date: 1234567890\r\nContent-Length: 4", coding) + knownBody, false,
		},
		"date folded": {
			good + knownBody, headOf(kind, date[:12]+"\r\n "+date[15:], coding) + knownBody, false,
		},
		"date twice": {
			headOf(kind, date, date, coding) + knownBody, headOf(kind, date, date, coding) + knownBody, false,
		},
		"a second date":   {good + knownBody, headOf(kind, date, date, coding) + knownBody, false},
		"date goes":       {good + knownBody, headOf(kind, coding) + knownBody, false},
		"date comes":      {headOf(kind, coding) + knownBody, good + knownBody, false},
		"another status":  {good + knownBody, strings.Replace(good, "200", "503", 1) + knownBody, false},
		"another phrase":  {good + knownBody, strings.Replace(good, "OK", "ok", 1) + knownBody, false},
		"another version": {good + knownBody, strings.Replace(good, "1.1", "1.0", 1) + knownBody, false},
		"another type": {
			good + knownBody, headOf(strings.Replace(kind, "0.0.4", "0.0.5", 1), date, coding) + knownBody, false,
		},
		"another order": {good + knownBody, headOf(date, kind, coding) + knownBody, false},
		"connection close": {
			good + knownBody, headOf(kind, date, coding, "Connection: close") + knownBody, false,
		},
		"gzip": {
			good + knownBody, headOf(kind, date, coding, "Content-Encoding: gzip") + knownBody, false,
		},
		"both lengths": {
			good + knownBody, headOf(kind, date, coding, "Content-Length: 4") + knownBody, false,
		},
		"two lengths": {
			sized + "a 1\n", headOf(date, kind, "Content-Length: 4", "Content-Length: 5") + "a 1\n", false,
		},
		"another length": {sized + "a 1\n", headOf(date, kind, "Content-Length: 2") + "b\n", false},
		"another coding": {
			good + knownBody, headOf(kind, date, "Transfer-Encoding: chunkee") + knownBody, false,
		},
		"neither length": {good + knownBody, headOf(kind, date) + knownBody, false},
		"long": {
			headOf(kind, date, coding, "X: "+strings.Repeat("x", maxCachedHead)) + knownBody,
			headOf(kind, date, coding, "X: "+strings.Repeat("x", maxCachedHead)) + knownBody, false,
		},
		"too long": {
			good + knownBody, headOf(kind, date, coding, "X: "+strings.Repeat("x", defaultHeaderBytes)) + knownBody,
			false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			ends := strings.HasPrefix(name, "breaks off") || name == "another version" // with the connection
			serve := func(answers ...string) *Client {
				r := proxytest.ServeRaw(t, func(conn net.Conn, _ string, n int) bool {
					_, _ = io.WriteString(conn, answers[min(n, len(answers))-1])
					return !ends || n < len(answers)
				})
				return newClient(t, r.Addr())
			}
			want, known := exchange(t, serve(c.second), "GET")
			if known {
				t.Error("a first head is known")
			}
			u := serve(c.first, c.second)
			if first, _ := exchange(t, u, "GET"); first.reason != "" || !first.kept {
				t.Fatalf("first answer: %+v", first)
			}
			got, known := exchange(t, u, "GET")
			if got != want || known != c.known {
				t.Errorf("%+v, known %t\nwant %+v, known %t", got, known, want, c.known)
			}
		})
	}
}

func TestNoHeadCacheParsesEveryHead(t *testing.T) {
	r := proxytest.ServeRaw(
		t,
		proxytest.Always(headOf("Content-Type: "+proxytest.TextType, "Content-Length: 4")+"a 1\n"),
	)
	address, err := ParseAddress(r.Addr(), false)
	if err != nil {
		t.Fatal(err)
	}
	u := New(Options{Address: address, NoHeadCache: true})
	defer u.Close()
	for range 3 {
		if got, cached := exchange(t, u, "GET"); cached || got.body != "a 1\n" || !got.kept {
			t.Errorf("%+v, cached %t", got, cached)
		}
	}
}

// TestKnownHeadOneByteOff changes each byte of a head in turn: none but those of the date
// may pass.
func TestKnownHeadOneByteOff(t *testing.T) {
	head := headOf("Content-Type: "+proxytest.TextType, "Date: "+knownDate, "Transfer-Encoding: chunked")
	k := &headCache{committed: true}
	k.store([]byte(head))
	if k.matches([]byte(head)) {
		t.Error("covers before it is settled")
	}
	k.committed = true
	from := strings.Index(head, " Sun,")
	for i := range head {
		for _, c := range []byte{head[i] ^ 1, head[i] ^ 0x20, ' ', '~', 0x7f, '\t', '\r', '\n', 0, 0xff} {
			other := []byte(head)
			other[i] = c
			date := i >= from && i < from+1+len(knownDate) && c >= ' ' && c < 0x7f
			if got, want := k.matches(other), date || c == head[i]; got != want {
				t.Errorf("byte %d as %#x: %t, want %t", i, c, got, want)
			}
		}
		if k.matches([]byte(head[:i])) || k.matches([]byte(head[i:])) && i > 0 {
			t.Errorf("covers a part of %d bytes", i)
		}
	}
	if k.matches([]byte(head + "\r\n")) {
		t.Error("covers more")
	}
}
