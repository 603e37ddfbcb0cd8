package proxy

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A body that never comes ends with its time, also when nobody reads it, and a
// complete one is the last of its connection.
func TestBodies(t *testing.T) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/read" {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		Refuse(w, http.StatusNotFound)
	})
	server := httptest.NewServer(Bodies(50 * time.Millisecond)(answer))
	defer server.Close()
	for _, head := range []string{
		"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nfull",
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.WriteString(conn, head); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(conn)
		_ = conn.Close()
		if e, ok := err.(net.Error); ok && e.Timeout() {
			t.Errorf("%.20q: held", head)
		}
		if strings.Count(string(got), "HTTP/1.1 404") != 1 ||
			!strings.Contains(string(got), "\r\nConnection: close\r\n") {
			t.Errorf("%.20q: %q, %v", head, got, err)
		}
	}
}

// A body that came in time does not hurry its answer.
func TestBodiesLeaveTheAnswerItsTime(t *testing.T) {
	const d = 50 * time.Millisecond
	server := httptest.NewServer(Bodies(d)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
			Refuse(w, http.StatusGatewayTimeout)
		case <-time.After(4 * d):
		}
	})))
	defer server.Close()
	response, err := http.Post(server.URL, "text/plain", strings.NewReader("0x1"))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("status %d", response.StatusCode)
	}
}

// Who sends a long body reads why it is refused: no reset comes before the answer.
func TestRefusalOfALongBodyArrives(t *testing.T) {
	server := httptest.NewServer(Bodies(time.Second)(Methods(http.MethodGet)(http.NotFoundHandler())))
	defer server.Close()
	for range 20 {
		response, err := http.Post(server.URL, "text/plain", strings.NewReader(strings.Repeat("x", 4<<20)))
		if err != nil {
			t.Error(err)
			continue
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusMethodNotAllowed {
			t.Error(response.Status)
		}
	}
}
