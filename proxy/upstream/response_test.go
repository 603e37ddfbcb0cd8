package upstream

import (
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
)

// TestKnownHeadIsOfGet: answers to other methods are neither known nor remembered.
func TestKnownHeadIsOfGet(t *testing.T) {
	head := headOf("Content-Type: "+proxytest.TextType, "Content-Length: 4")
	r := proxytest.ServeRaw(t, func(c net.Conn, request string, _ int) bool {
		answer := head + "a 1\n"
		if strings.HasPrefix(request, "HEAD") {
			answer = head
		}
		_, err := io.WriteString(c, answer)
		return err == nil
	})
	u := newClient(t, r.Addr())
	want := []string{"HEAD false", "POST false", "GET false", "GET true", "HEAD false", "POST false", "GET true"}
	var got []string
	for _, ask := range want {
		method, _, _ := strings.Cut(ask, " ")
		a, known := exchange(t, u, method)
		if a.reason != "" || !a.kept || method != "HEAD" && a.body != "a 1\n" {
			t.Errorf("%s: %+v", method, a)
		}
		got = append(got, fmt.Sprint(method, " ", known))
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if _, conns := r.Seen(); conns != 1 {
		t.Errorf("%d connections", conns)
	}
}

// TestDrainedAtTheEnd: a connection is kept when the end of the body was read, and only
// then.
func TestDrainedAtTheEnd(t *testing.T) {
	head := headOf("Content-Type: "+proxytest.TextType, "Transfer-Encoding: chunked")
	r := proxytest.ServeRaw(t, proxytest.Always(head+knownBody))
	for read, want := range map[int]bool{0: false, 3: false, 4: false, 5: true} {
		u := newClient(t, r.Addr())
		exchange(t, u, "GET")
		a, err := u.Do(&Request{Method: "GET", Path: "/metrics", Deadline: time.Now().Add(time.Second)}, new(Exchange))
		if err != nil {
			t.Fatal(err)
		}
		for range read {
			_, _ = a.Read(make([]byte, 1))
		}
		if a.drained != want {
			t.Errorf("after %d reads: drained %t", read, a.drained)
		}
		a.Close()
		if kept := len(u.idle) == 1; kept != want {
			t.Errorf("after %d reads: kept %t", read, kept)
		}
	}
}
