package upstream

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
)

// answers are raw answers to a GET for the differential test. Where the Client deliberately
// refuses what net/http.Transport takes, stricter says why.
func answers() map[string]struct{ raw, stricter string } {
	const kind = "Content-Type: text/plain\r\n"
	const ok = "HTTP/1.1 200 OK\r\n" + kind
	const chunked = ok + "Transfer-Encoding: chunked\r\n\r\n"
	return map[string]struct{ raw, stricter string }{
		"length":             {raw: ok + "Content-Length: 4\r\n\r\na 1\n"},
		"length of nothing":  {raw: ok + "Content-Length: 0\r\n\r\n"},
		"same length twice":  {raw: ok + "Content-Length: 4\r\nContent-Length: 4\r\n\r\na 1\n"},
		"two lengths":        {raw: ok + "Content-Length: 4\r\nContent-Length: 5\r\n\r\na 1\n"},
		"length no number":   {raw: ok + "Content-Length: 4x\r\n\r\na 1\n"},
		"length with sign":   {raw: ok + "Content-Length: +4\r\n\r\na 1\n"},
		"negative length":    {raw: ok + "Content-Length: -4\r\n\r\na 1\n"},
		"breaks off":         {raw: ok + "Content-Length: 100\r\n\r\na 1\n"},
		"chunked":            {raw: chunked + "4\r\na 1\n\r\n0\r\n\r\n"},
		"chunks":             {raw: chunked + "2\r\na \r\n2\r\n1\n\r\n0\r\n\r\n"},
		"chunk extension":    {raw: chunked + "4;x=y\r\na 1\n\r\n0\r\n\r\n"},
		"trailer":            {raw: chunked + "4\r\na 1\n\r\n0\r\nX: 1\r\n\r\n"},
		"no chunk":           {raw: chunked + "0\r\n\r\n"},
		"chunk breaks off":   {raw: chunked + "40\r\na 1\n"},
		"chunks break off":   {raw: chunked + "4\r\na 1\n\r\n"},
		"chunk without size": {raw: chunked + "\r\na 1\n\r\n0\r\n\r\n"},
		"chunk with bare LF": {raw: chunked + "4\na 1\n\r\n0\r\n\r\n"},
		"chunk too long":     {raw: chunked + "3\r\na 1\n\r\n0\r\n\r\n"},
		"size of 16 digits": {
			raw:      chunked + "0000000000000004\r\na 1\n\r\n0\r\n\r\n",
			stricter: "at most 15 digits",
		},
		"folded trailer":       {raw: chunked + "4\r\na 1\n\r\n0\r\nX: 1\r\n 2\r\n\r\n", stricter: "folded line"},
		"coding in upper case": {raw: ok + "Transfer-Encoding: CHUNKED\r\n\r\n4\r\na 1\n\r\n0\r\n\r\n"},
		"unknown coding":       {raw: ok + "Transfer-Encoding: gzip, chunked\r\n\r\n4\r\na 1\n\r\n0\r\n\r\n"},
		"length and chunked": {
			raw:      ok + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na 1\n\r\n0\r\n\r\n",
			stricter: "two lengths",
		},
		"until close":           {raw: ok + "\r\na 1\n", stricter: "end unknown"},
		"until close, HTTP/1.0": {raw: "HTTP/1.0 200 OK\r\n" + kind + "\r\na 1\n", stricter: "end unknown"},
		"HTTP/1.0 with length":  {raw: "HTTP/1.0 200 OK\r\n" + kind + "Content-Length: 4\r\n\r\na 1\n"},
		"HTTP/1.9":              {raw: "HTTP/1.9 200 OK\r\n" + kind + "Content-Length: 4\r\n\r\na 1\n"},
		"HTTP/2.0": {
			raw:      "HTTP/2.0 200 OK\r\n" + kind + "Content-Length: 4\r\n\r\na 1\n",
			stricter: "not HTTP/1.x",
		},
		"HTTP/0.9":             {raw: "a 1\n"},
		"status of two digits": {raw: "HTTP/1.1 20 OK\r\n" + kind + "Content-Length: 4\r\n\r\na 1\n"},
		"no phrase":            {raw: "HTTP/1.1 200\r\n" + kind + "Content-Length: 4\r\n\r\na 1\n"},
		"connection close":     {raw: ok + "Connection: close\r\nContent-Length: 4\r\n\r\na 1\n"},
		"interim":              {raw: "HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 4\r\n\r\na 1\n"},
		"two interim": {
			raw: "HTTP/1.1 100 Continue\r\n\r\n" +
				"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok + "Content-Length: 4\r\n\r\na 1\n",
		},
		"404": {
			raw:      "HTTP/1.1 404 Not Found\r\n" + kind + "Content-Length: 4\r\n\r\na 1\n",
			stricter: "only 200",
		},
		"204": {raw: "HTTP/1.1 204 No Content\r\n\r\n", stricter: "only 200"},
		"redirect": {
			raw:      "HTTP/1.1 302 Found\r\nLocation: /x\r\n" + kind + "Content-Length: 4\r\n\r\na 1\n",
			stricter: "only 200",
		},
		"gzip": {
			raw:      ok + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\na 1\n",
			stricter: "not asked for",
		},
		"no content type":   {raw: "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na 1\n", stricter: "type unknown"},
		"two content types": {raw: ok + kind + "Content-Length: 4\r\n\r\na 1\n", stricter: "type ambiguous"},
		"bare LF in head": {
			raw:      strings.ReplaceAll(ok+"Content-Length: 4\r\n\r\n", "\r\n", "\n") + "a 1\n",
			stricter: "bare LF",
		},
		"bare CR in field": {raw: ok + "X: a\rb\r\nContent-Length: 4\r\n\r\na 1\n"},
		"NUL in field":     {raw: ok + "X: a\x00b\r\nContent-Length: 4\r\n\r\na 1\n"},
		"folded field":     {raw: ok + "X: a\r\n b\r\nContent-Length: 4\r\n\r\na 1\n", stricter: "folded line"},
		"space before colon": {
			raw:      ok + "X : a\r\nContent-Length: 4\r\n\r\na 1\n",
			stricter: "another reader may drop the field",
		},
		"no colon": {raw: ok + "X\r\nContent-Length: 4\r\n\r\na 1\n"},
		"long head": {
			raw:      ok + "X: " + strings.Repeat("x", defaultHeaderBytes) + "\r\nContent-Length: 4\r\n\r\na 1\n",
			stricter: "limit of a head",
		},
		"nothing":     {raw: ""},
		"half a head": {raw: "HTTP/1.1 200 OK\r\nContent-"},
	}
}

// TestClientAgreesWithTransport: each answer has the result that net/http.Transport gives it,
// or is refused for a listed reason. It is asked twice, so that the second answer may come
// on a kept connection and match the cached head.
func TestClientAgreesWithTransport(t *testing.T) {
	for name, c := range answers() {
		t.Run(name, func(t *testing.T) {
			r := proxytest.ServeRaw(t, func(conn net.Conn, _ string, _ int) bool {
				_, err := io.WriteString(conn, c.raw)
				return err == nil && endIsKnown(c.raw)
			})
			transport := &http.Transport{DisableCompression: true, MaxResponseHeaderBytes: 1 << 20}
			defer transport.CloseIdleConnections()
			client := newClient(t, r.Addr())
			for round := range 2 {
				want := byTransport(transport, r.Addr())
				got := byClient(client)
				switch {
				case c.stricter != "":
					if want == failed || got != failed {
						t.Errorf("round %d: %q, net/http %q; want only us to refuse: %s", round, got, want, c.stricter)
					}
				case got != want:
					t.Errorf("round %d: %q, net/http %q", round, got, want)
				}
			}
		})
	}
}

// endIsKnown reports whether raw is a complete answer, which may keep its connection open.
func endIsKnown(raw string) bool {
	in := bufio.NewReader(strings.NewReader(raw))
	for {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			return false
		}
		if res.StatusCode >= http.StatusOK {
			_, err := io.Copy(io.Discard, res.Body)
			return err == nil && !res.Close && (res.ContentLength >= 0 || len(res.TransferEncoding) > 0)
		}
	}
}

// failed is the result of an exchange with an error, before or within the body.
const failed = "failed"

func byTransport(transport *http.Transport, addr string) string {
	r, err := http.NewRequest(http.MethodGet, "http://"+addr+"/metrics", nil)
	if err != nil {
		return err.Error()
	}
	res, err := transport.RoundTrip(r)
	if err != nil {
		return failed
	}
	defer func() { _ = res.Body.Close() }()
	return result(res.Header.Get("Content-Type"), res.Body)
}

func byClient(client *Client) string {
	ask := Request{Method: http.MethodGet, Path: "/metrics", Deadline: time.Now().Add(10 * time.Second)}
	res, err := client.Do(&ask, new(Exchange))
	if err != nil {
		return failed
	}
	defer res.Close()
	return result(res.ContentType, res)
}

func result(kind string, body io.Reader) string {
	b, err := io.ReadAll(body)
	if err != nil {
		return failed
	}
	return fmt.Sprintf("%s: %s", kind, b)
}
