package hostile_test

import (
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// forever sends beginning and then text repeatedly until the gate closes the connection.
func forever(beginning, text string) func(*harness.Exchange) {
	block := []byte(strings.Repeat(text, max(1, 64<<10/len(text))))
	return func(x *harness.Exchange) {
		x.Send(beginning)
		for {
			if _, err := x.Write(block); err != nil {
				return
			}
		}
	}
}

// neverComplete scrapes and expects 502. When begun is 200 the answer may instead be
// aborted, even before its first byte.
func (w *fixture) neverComplete(t *testing.T, encoding string, begun int) {
	t.Helper()
	wire := w.dialAs(t, w.scraper)
	if err := wire.Send(get("/metrics", "Accept-Encoding: "+encoding)); err != nil {
		t.Fatal(err)
	}
	reply, err := wire.Receive("GET")
	_ = wire.Close()
	switch {
	case err != nil && begun != 200:
		t.Errorf("%s: %v", encoding, err)
	case err == nil && reply.Status == 200 && (begun != 200 || reply.Err == nil):
		t.Errorf("%s: a 200 of %d bytes, complete: %v", encoding, len(reply.Body), reply.Err == nil)
	case err == nil && reply.Status != 200:
		expect(t, reply, 502)
	}
}

// An endless answer costs no memory and no exchange slot, and never ends as complete.
func TestEndlessAnswersAreRefused(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample), "UPSTREAM_MAX_BYTES=8000000",
		"UPSTREAM_MAX_LINE_BYTES=100000", "UPSTREAM_TIMEOUT=20s")
	expect(t, w.scrape(t), 200)
	before := w.gate.Resources(t)
	for name, test := range map[string]struct {
		answer func(*harness.Exchange)
		status int
	}{
		"header":        {forever("HTTP/1.1 200 OK\r\nX: ", "aaaaaaaa"), 502},
		"headers":       {forever("HTTP/1.1 200 OK\r\n", "X: y\r\n"), 502},
		"status":        {forever("HTTP/1.1 200 ", "OK"), 502},
		"early hints":   {forever("", "HTTP/1.1 103 Early Hints\r\n\r\n"), 502},
		"line":          {forever(head("Content-Length: 99999999999"), "aaaaaaaa"), 502},
		"comment":       {forever(head("Content-Length: 99999999999")+"# ", "aaaaaaaa"), 502},
		"label":         {forever(head("Content-Length: 99999999999")+`up{a="`, "aaaaaaaa"), 502},
		"long labels":   {forever(head("Content-Length: 99999999999")+`up{`, `a="b",`), 502},
		"chunk header":  {forever(head("Transfer-Encoding: chunked")+"5;", "aaaaaaaa"), 502},
		"body":          {forever(head("Content-Length: 99999999999"), "up 1\n"), 200},
		"chunks":        {forever(head("Transfer-Encoding: chunked"), "5\r\nup 1\n\r\n"), 200},
		"empty lines":   {forever(head("Content-Length: 99999999999"), "\n"), 200},
		"one-byte pads": {forever(head("Transfer-Encoding: chunked"), "1\r\n#\r\n1\r\n\n\r\n"), 200},
	} {
		t.Run(name, func(t *testing.T) {
			w.recorder.SetAnswer(test.answer)
			for _, encoding := range []string{"identity", "gzip", "zstd"} {
				w.neverComplete(t, encoding, test.status)
			}
			w.recorder.SetAnswer(harness.AnswerExposition(sample))
			expect(t, w.scrape(t), 200)
		})
	}
	w.gate.AwaitRelease(t, before)
	if rss := w.gate.Metrics(t)["process_resident_memory_bytes"]; rss > 100<<20 {
		t.Errorf("resident memory is %.0f MB", rss/1e6)
	}
}

// A large exposition with a late fault has started as 200: it must be aborted.
func TestLateFaultsAbortTheAnswer(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample), "UPSTREAM_TIMEOUT=2s")
	before := w.gate.Resources(t)
	good := strings.Repeat("some_metric_of_the_runner{a=\"b\"} 1\n", 60000)
	for name, answer := range map[string]func(*harness.Exchange){
		"syntax":       harness.AnswerRaw(length(good + "not an exposition\n")),
		"half a line":  harness.AnswerRaw(length(good + "up")),
		"no last byte": func(x *harness.Exchange) { x.Send(head("Content-Length: 99999999") + good); _ = x.Close() },
		"no last chunk": func(x *harness.Exchange) {
			x.Send(head("Transfer-Encoding: chunked") + "200b20\r\n" + good + "\r\n")
			_ = x.Close()
		},
		"hangs": harness.AnswerRaw(head("Content-Length: 99999999") + good),
	} {
		t.Run(name, func(t *testing.T) {
			w.recorder.SetAnswer(answer)
			for _, encoding := range []string{"identity", "gzip", "zstd"} {
				w.neverComplete(t, encoding, 200)
			}
		})
	}
	w.recorder.SetAnswer(harness.AnswerExposition(sample))
	expect(t, w.scrape(t), 200)
	w.gate.AwaitRelease(t, before)
}
