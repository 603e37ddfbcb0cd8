package hostile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// head returns the head of a good answer with additional header lines.
func head(lines ...string) string {
	return "HTTP/1.1 200 OK\r\nContent-Type: " + harness.TextFormat + "\r\n" +
		strings.Join(append(lines, ""), "\r\n") + "\r\n"
}

// length returns head with Content-Length, followed by body.
func length(body string, lines ...string) string {
	return head(append(lines, fmt.Sprint("Content-Length: ", len(body)))...) + body
}

// secret is in every answer of a faulty runner and must not appear in the gate's output.
const secret = "glrt-s3cr3t"

// faults are answers without an exposition. Each is 502 at once, and the connection is
// not reused.
var faults = map[string]string{
	"not found": "HTTP/1.1 404 Not Found\r\nContent-Length: 11\r\n\r\n" + secret,
	"error": "HTTP/1.1 500 Internal Server Error\r\nX-Secret: " + secret + "\r\nContent-Type: " +
		harness.TextFormat + "\r\nContent-Length: 19\r\n\r\n" + secret + "\nup 1\n..",
	"unauthorized": "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"" + secret +
		"\"\r\nContent-Length: 0\r\n\r\n",
	"redirect": "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/" + secret +
		"\r\nContent-Length: 0\r\n\r\n",
	"redirect for ever": "HTTP/1.1 307 Temporary Redirect\r\nLocation: /metrics\r\nContent-Length: 0\r\n\r\n",
	"no content":        "HTTP/1.1 204 No Content\r\n\r\n",
	"not modified":      "HTTP/1.1 304 Not Modified\r\n\r\n",
	"partial":           "HTTP/1.1 206 Partial Content\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nup 1\n",
	"switching": "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" +
		sample,
	"status 000":         "HTTP/1.1 000 Zero\r\nContent-Length: 0\r\n\r\n",
	"status 999":         "HTTP/1.1 999 Nine\r\nContent-Length: 0\r\n\r\n",
	"no status":          "HTTP/1.1\r\n\r\n",
	"not http":           "SSH-2.0-OpenSSH_9.7\r\n\r\n",
	"http 0.9":           "up 1\r\n\r\n" + sample,
	"http 2":             "HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nup 1\n",
	"tls alert":          "\x15\x03\x01\x00\x02\x02\x46\r\n\r\n",
	"gzip unasked":       length("\x1f\x8b\x08\x00", "Content-Encoding: gzip"),
	"two lengths":        head("Content-Length: 5", "Content-Length: 10") + "up 1\nup 2\n",
	"length and chunks":  head("Content-Length: 5", "Transfer-Encoding: chunked") + "5\r\nup 1\n\r\n0\r\n\r\n",
	"negative length":    head("Content-Length: -1") + sample,
	"odd encoding":       head("Transfer-Encoding: gzip, chunked") + "5\r\nup 1\n\r\n0\r\n\r\n",
	"folded header":      head("X: a\r\n b", "Content-Length: 5") + "up 1\n",
	"bare line feed":     "HTTP/1.1 200 OK\nContent-Type: text/plain\nContent-Length: 5\n\nup 1\n\r\n\r\n",
	"space before colon": head("Content-Length : 5") + "up 1\n",
	"nul in header":      head("X: a\x00b", "Content-Length: 5") + "up 1\n",
	"no type":            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nup 1\n",
	"html":               "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 11\r\n\r\n" + secret,
	"json":               "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
	"two types":          length(sample, "Content-Type: application/json"),
	"strange type": "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=\"strange\r\nContent-Length: " +
		"5\r\n\r\nup 1\n",
	"bad chunk size":      head("Transfer-Encoding: chunked") + "zz\r\nup 1\n\r\n0\r\n\r\n",
	"huge chunk size":     head("Transfer-Encoding: chunked") + "ffffffffffffffff1\r\nup 1\n",
	"end not to be known": head() + sample,
	"many headers":        head(strings.Split(strings.Repeat("X: y\n", 8000), "\n")[:8000]...) + sample,
}

// contents are complete answers whose body is no exposition: 502 too.
var contents = map[string]string{
	"empty":           length(""),
	"empty chunks":    head("Transfer-Encoding: chunked") + "0\r\n\r\n",
	"bad chunk size":  head("Transfer-Encoding: chunked") + "zz\r\nup 1\n\r\n0\r\n\r\n",
	"huge chunk size": head("Transfer-Encoding: chunked") + "ffffffffffffffff1\r\nup 1\n",
	"no syntax":       length("this is not an exposition: " + secret + "\n"),
	"half a line":     length("up 1\nup{a=\"" + secret),
	"nul":             length("up 1\n\x00\n"),
	"not utf-8":       length("up{a=\"\xff\xfe\"} 1\n"),
	"carriage return": length("up 1\r\n"),
	"duplicate label": length("up{a=\"1\",a=\"2\"} 1\n"),
	"openmetrics, no end": "HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0; " +
		"charset=utf-8\r\nContent-Length: 5\r\n\r\nup 1\n",
	"protobuf of text": "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.google.protobuf; " +
		"proto=io.prometheus.client.MetricFamily; encoding=delimited\r\nContent-Length: 5\r\n\r\nup 1\n",
	"protobuf of ever": "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.google.protobuf; " +
		"proto=io.prometheus.client.MetricFamily; encoding=delimited\r\nContent-Length: 10\r\n\r\n" +
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
}

// truncated are incomplete answers. The runner closes the connection after each.
var truncated = map[string]string{
	"nothing": "", "half a status": "HTTP/1.1 2", "half a header": "HTTP/1.1 200 OK\r\nContent-Ty",
	"half a length":     head("Content-Length: 1000") + sample,
	"half a chunk":      head("Transfer-Encoding: chunked") + "ff\r\nup 1\n",
	"no last chunk":     head("Transfer-Encoding: chunked") + "5\r\nup 1\n\r\n",
	"half a last chunk": head("Transfer-Encoding: chunked") + "5\r\nup 1\n\r\n0\r\n",
}

func TestFaultyAnswersAreRefused(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	check := func(name string, doubt bool, answer func(*harness.Exchange)) {
		t.Run(name, func(t *testing.T) {
			wire := w.dialAs(t, w.scraper)
			w.recorder.SetAnswer(harness.AnswerExposition(sample))
			expect(t, wire.RoundTrip(t, "GET", get("/metrics")), 200)
			w.recorder.SetAnswer(answer)
			reply := wire.RoundTrip(t, "GET", get("/metrics"))
			expect(t, reply, 502)
			if strings.Contains(fmt.Sprint(reply), secret) || len(reply.Header) > 5 {
				t.Errorf("shows details of the runner: %v", reply)
			}
			// After a protocol fault the connection is not reused.
			w.recorder.SetAnswer(harness.AnswerExposition(sample))
			conns := len(w.recorder.Conns())
			if reply := wire.RoundTrip(t, "GET", get("/metrics")); reply.Body != labelled {
				t.Errorf("the next scrape got %q", reply.Body)
			}
			if doubt && len(w.recorder.Conns()) == conns {
				t.Error("the connection was reused")
			}
		})
	}
	for name, text := range faults {
		check(name, true, harness.AnswerRaw(text))
	}
	for name, text := range contents {
		check(name, false, harness.AnswerRaw(text))
	}
	for name, text := range truncated {
		check("cut: "+name, true, func(x *harness.Exchange) { x.Send(text); _ = x.Close() })
	}
	for line := range strings.Lines(w.gate.Log()) {
		if strings.Contains(line, secret) {
			t.Errorf("the log quotes the runner: %s", line)
		}
	}
}

// Bytes after an answer are never used as the next answer.
func TestExtraBytesAreNeverTheNextAnswer(t *testing.T) {
	t.Parallel()
	evil := "# TYPE evil gauge\nevil 1\n"
	w := newFixture(t, harness.AnswerRaw(length(sample)+length(evil)))
	wire := w.dialAs(t, w.scraper)
	for range 5 {
		if reply := wire.RoundTrip(t, "GET", get("/metrics")); reply.Body != labelled {
			t.Errorf("%d %q", reply.Status, reply.Body)
		}
	}
	// The extra bytes come late: the connection is idle by then.
	follow, followed := make(chan bool), make(chan bool)
	w.recorder.SetAnswer(func(x *harness.Exchange) {
		x.Send(length(sample))
		<-follow
		x.Send(length(evil))
		followed <- true
	})
	for range 10 {
		if reply := wire.RoundTrip(t, "GET", get("/metrics")); strings.Contains(reply.Body, "evil") {
			t.Errorf("%q", reply.Body)
		}
		follow <- true
		<-followed
	}
}

func TestRunnerDownOrHanging(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample), "UPSTREAM_TIMEOUT=1s")
	wire := w.dialAs(t, w.scraper)
	expect(t, wire.RoundTrip(t, "GET", get("/metrics")), 200)
	silent := func(*harness.Exchange) {}
	for name, answer := range map[string]func(*harness.Exchange){
		"before the answer": silent, "in the status": harness.AnswerRaw("HTTP/1.1 2"),
		"in the header":   harness.AnswerRaw("HTTP/1.1 200 OK\r\nX"),
		"before the body": harness.AnswerRaw(head("Content-Length: 5")),
		"in the body":     harness.AnswerRaw(head("Content-Length: 50") + sample),
		"in a chunk":      harness.AnswerRaw(head("Transfer-Encoding: chunked") + "5\r\nup"),
		"drop by drop": func(x *harness.Exchange) {
			for _, c := range head("Content-Length: 500000") + strings.Repeat("#\n", 1000) {
				x.Send(string(c))
				select {
				case <-x.Closed:
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w.recorder.SetAnswer(answer)
			expect(t, wire.RoundTrip(t, "GET", get("/metrics")), 504)
			conns := w.recorder.Conns()
			select {
			case <-conns[len(conns)-1].Closed:
			case <-time.After(10 * second):
				t.Error("the connection to the runner is still open")
			}
		})
	}
	w.recorder.Close()
	expect(t, wire.RoundTrip(t, "GET", get("/metrics")), 502)
	expect(t, wire.RoundTrip(t, "GET", get("/gate/metrics")), 200)
}

// The gate answers 504 before the scraper's own timeout, although UPSTREAM_TIMEOUT is longer.
func TestScrapeTimeoutShortensUpstreamTimeout(t *testing.T) {
	t.Parallel()
	w := newFixture(t, func(*harness.Exchange) {}, "UPSTREAM_TIMEOUT=1m")
	wire := w.dialAs(t, w.scraper)
	expect(t, wire.RoundTrip(t, "GET", get("/metrics", "X-Prometheus-Scrape-Timeout-Seconds: 0.4")), 504)
}
