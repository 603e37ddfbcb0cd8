package fastpath

import (
	"bufio"
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// FuzzHeads states that what is taken for a scrape is one to net/http too: the same fields, no
// body, and an end at the same byte, so that what follows is the next request to both.
func FuzzHeads(f *testing.F) {
	for _, head := range []string{
		scrapeHead, "GET /metrics HTTP/1.1\r\nHost: gate\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nhost: gate\r\nauthorization: Bearer x\r\n\r\nGET",
		"GET /metrics HTTP/1.1\r\nHost: gate\r\nContent-Length: 3\r\n\r\nabc",
		"GET /metrics HTTP/1.1\r\nHost: gate\r\nAccept: a\r\n b\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nHost: gate\r\nTransfer-Encoding : chunked\r\n\r\n",
		"GET /metrics HTTP/1.1\nHost: gate\n\n",
	} {
		f.Add([]byte(head))
	}
	s := New(Options{Path: "/metrics"})
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := http.ReadRequest(bufio.NewReader(strings.NewReader(scrapeHead)))
		if err != nil {
			t.Fatal(err)
		}
		h := headParser{request: first}
		got, n := h.parse(s, b)
		if got == nil {
			return
		}
		whole := bytes.NewReader(b)
		in := bufio.NewReader(whole)
		want, err := http.ReadRequest(in)
		if err != nil || want.Method != "GET" || want.RequestURI != "/metrics" || want.Host != "gate" ||
			want.Proto != "HTTP/1.1" {
			t.Fatalf("%q is taken for a scrape: %+v, %v", b[:n], want, err)
		}
		if want.Body != http.NoBody || want.Close || want.ContentLength != 0 || len(b)-whole.Len()-in.Buffered() != n {
			t.Fatalf("%q ends elsewhere, or has a body", b[:n])
		}
		if !maps.EqualFunc(got.Header, want.Header, slices.Equal) {
			t.Fatalf("fields %q, want %q", got.Header, want.Header)
		}
		for name, values := range want.Header {
			if len(values) != 1 || name == "Connection" || name == "Expect" || name == "Upgrade" {
				t.Fatalf("%s: %q", name, values)
			}
		}
		if again, m := h.parse(s, b); again != got || m != n {
			t.Fatalf("the last head is read as %d bytes, not %d", m, n)
		}
	})
}

// A head that is only the beginning of a longer line must not be taken for that one.
func TestLastHeadMatchesWhole(t *testing.T) {
	first, err := http.ReadRequest(bufio.NewReader(strings.NewReader(scrapeHead)))
	if err != nil {
		t.Fatal(err)
	}
	s, h := New(Options{Path: "/metrics"}), headParser{request: first}
	for i := range scrapeHead {
		if r, _ := h.parse(s, []byte(scrapeHead[:i])); r != nil {
			t.Errorf("%d bytes are taken for a head", i)
		}
	}
	r, n := h.parse(s, []byte(scrapeHead+"GET"))
	if r == nil || n != len(scrapeHead) {
		t.Fatalf("%v, %d", r, n)
	}
	for i := range scrapeHead {
		if r, _ := h.parse(s, []byte(scrapeHead[:i])); r != nil {
			t.Errorf("%d bytes are taken for the last head", i)
		}
	}
}
