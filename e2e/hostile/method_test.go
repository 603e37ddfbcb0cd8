package hostile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

var oddMethods = []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "QUERY", "get",
	"Get", "PRI", "GETT", "M-SEARCH", "BREW"}

// Every unauthenticated request gets the same refusal.
func TestUnauthenticatedRefusalsAreUniform(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample), "LOG_LEVEL=error")
	var first string
	for _, method := range append([]string{"GET"}, oddMethods...) {
		for _, target := range []string{"/metrics", "/gate/metrics", "/debug/pprof/heap", "/nowhere", "/%6detrics",
			"*", "http://x/metrics", "//", "/debug/jobs/list"} {
			if method == "CONNECT" && target == "*" || target == "*" && method != "OPTIONS" {
				continue // not a valid request line
			}
			wire := w.dialAnonymous(t)
			if err := wire.Send(request(method, target, "X-Method: TRACE")); err != nil {
				t.Fatal(err)
			}
			reply, err := wire.Receive(method)
			_ = wire.Close()
			if err != nil {
				t.Fatalf("%s %s: %v", method, target, err)
			}
			expect(t, reply, 401)
			reply.Header.Del("Date")
			if text := fmt.Sprint(reply.Status, reply.Header, reply.Body); first == "" {
				first = text
			} else if text != first {
				t.Errorf("%s %s differs:\n%s\n%s", method, target, text, first)
			}
		}
	}
	if !strings.Contains(first, "Www-Authenticate:[Bearer]") {
		t.Errorf("no challenge: %s", first)
	}
	if got := w.recorder.Bytes(); got != "" {
		t.Errorf("reached the runner: %q", got)
	}
}

func TestMethodsOfKnownPaths(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	for _, method := range oddMethods {
		for target, allow := range map[string]string{"/metrics": "GET, HEAD", "/gate/metrics": "GET, HEAD",
			"/debug/pprof/heap": ""} {
			reply := w.dialAs(t, w.ops).RoundTrip(t, method, request(method, target))
			if method == "PRI" && reply.Status == 400 {
				continue // the preface of HTTP/2
			}
			expect(t, reply, 405)
			if got := reply.Header.Get("Allow"); got == "" || allow != "" && got != allow {
				t.Errorf("%s %s: Allow %q, want %q", method, target, got, allow)
			}
		}
	}
	for _, text := range []string{request("OPTIONS", "*"), request("CONNECT", "127.0.0.1:9252"),
		request("CONNECT", "gate.example:443")} {
		method, _, _ := strings.Cut(text, " ")
		if reply := w.dialAs(t, w.ops).RoundTrip(t, method, text); reply.Status != 400 && reply.Status != 405 {
			t.Errorf("%.20q: %d", text, reply.Status)
		}
	}
	if got := w.recorder.Bytes(); got != "" {
		t.Errorf("reached the runner: %q", got)
	}
}

func TestTraceReflectsNothing(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	reply := w.dialAs(t, w.scraper).RoundTrip(t, "TRACE",
		request("TRACE", "/metrics", "X-Secret: reflected", bearer(w.token), "Max-Forwards: 0"))
	expect(t, reply, 405)
	if strings.Contains(reply.Body+fmt.Sprint(reply.Header), "reflected") {
		t.Error("reflects a header")
	}
}

func TestHeadHasNoBodyAndOneExchange(t *testing.T) {
	t.Parallel()
	w := newFixture(t,
		harness.AnswerRaw("HTTP/1.1 200 OK\r\nContent-Type: "+harness.TextFormat+"\r\nContent-Length: 7\r\n\r\n"))
	wire := w.dialAs(t, w.scraper)
	for range 2 {
		expect(t, wire.RoundTrip(t, "HEAD", request("HEAD", "/metrics")), 200)
	}
	for _, r := range w.recorder.Requests() {
		if !strings.HasPrefix(r, "HEAD /metrics HTTP/1.1\r\n") {
			t.Errorf("reached the runner: %q", r)
		}
	}
	if len(w.recorder.Requests()) != 2 {
		t.Errorf("%d requests reached the runner", len(w.recorder.Requests()))
	}
}
