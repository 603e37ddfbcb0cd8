package hostile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

func TestExactlyOneAuthorizationHeader(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	good := bearer(w.token)
	for name, lines := range map[string][]string{
		"twice": {good, good}, "twice in two cases": {good, strings.ToLower(good)},
		"good, then bad": {good, bearer("x")}, "bad, then good": {bearer("x"), good},
		"empty first": {"Authorization:", good}, "comma": {good + ", Bearer " + w.token},
		"quoted":            {`Authorization: Bearer "` + w.token + `"`},
		"two spaces inside": {good + " x"}, "tab": {"Authorization: Bearer\t" + w.token},
		"no space": {"Authorization: Bearer" + w.token},
		"basic":    {"Authorization: Basic dG9rZW46eA=="}, "bare": {"Authorization: " + w.token},
		"negotiate": {"Authorization: Negotiate " + w.token},
		"empty":     {"Authorization: Bearer "}, "nothing": {"Authorization:"},
		"upper case": {bearer(strings.ToUpper(w.token))}, "prefix": {bearer(w.token[:len(w.token)-1])},
		"longer": {bearer(w.token + "A")}, "padded": {bearer(w.token + "=")}, "unicode": {bearer(w.token + "\u00e9")},
		"percent": {bearer("%6dg" + w.token[2:])},
		"digest":  {bearer(strings.TrimSpace(strings.SplitN(w.lines, "sha256:", 3)[1][:64]))},
		"8 KiB":   {bearer(strings.Repeat("a", 8<<10+1))},
		"cookie":  {"Cookie: Authorization=Bearer " + w.token + "; token=" + w.token}, "proxy": {"Proxy-" + good},
		"forwarded":  {"X-Forwarded-Authorization: Bearer " + w.token},
		"underscore": {"HTTP_AUTHORIZATION: Bearer " + w.token},
		"x": {"X-Authorization: Bearer " + w.token, "X-Api-Key: " + w.token, "Private-Token: " + w.token,
			"Job-Token: " + w.token},
		"identity": {"X-Forwarded-User: prometheus", "X-Remote-User: prometheus", "X-Client-Cert: x",
			"X-Forwarded-Client-Cert: Subject=\"\";DNS=prometheus.example", "X-Ssl-Client-Verify: SUCCESS"},
		"hop by hop": {good, "Connection: Authorization", good},
	} {
		t.Run(name, func(t *testing.T) {
			wire := w.dialAnonymous(t)
			expect(t, wire.RoundTrip(t, "GET", get("/metrics", lines...)), 401)
			if strings.Contains(strings.Join(lines, ""), "\nAuthorization") {
				return
			}
			if wire = w.dialAs(t, w.scraper); name != "cookie" && name != "proxy" && name != "forwarded" &&
				name != "underscore" && name != "x" && name != "identity" {
				expect(t, wire.RoundTrip(t, "GET", get("/metrics", lines...)), 401) // even with a good certificate
			}
		})
	}
	for _, target := range []string{"/metrics?access_token=" + w.token, "/metrics?token=" + w.token,
		"/metrics?authorization=Bearer%20" + w.token} {
		expect(t, w.dialAnonymous(t).RoundTrip(t, "GET", get(target)), 401)
	}
	for _, scheme := range []string{"Bearer", "bearer", "BEARER", "bEaReR"} {
		expect(t, w.dialAnonymous(t).RoundTrip(t, "GET", get("/metrics", "Authorization: "+scheme+" "+w.token)), 200)
	}
	if n := len(w.recorder.Requests()); n != 4 {
		t.Errorf("%d requests reached the runner, want 4", n)
	}
}

// irrelevantHeaders must have no effect.
var irrelevantHeaders = []string{
	"Cookie: session=secret", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: evil.example",
	"X-Forwarded-Proto: https", "X-Real-Ip: 127.0.0.1", "Forwarded: for=127.0.0.1",
	"X-Original-Url: /debug/jobs/list", "X-Rewrite-Url: /debug/jobs/list", "X-Http-Method-Override: DELETE",
	"X-Request-Id: x", "Upgrade: websocket, h2c", "Connection: Upgrade, Host, Accept, User-Agent, keep-alive",
	"Http2-Settings: AAMAAABkAAQCAAAAAAIAAAAA", "Sec-Websocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	"Sec-Websocket-Version: 13", "Te: trailers, chunked", "Trailer: Host", "Keep-Alive: timeout=99999",
	"Proxy-Connection: keep-alive", "Proxy-Authorization: Basic eDp4", "Range: bytes=0-1", "If-None-Match: *",
	"If-Modified-Since: Thu, 01 Jan 2037 00:00:00 GMT", "Accept-Encoding: identity;q=1, br;q=0.5",
	"Accept-Language: x", "User-Agent: () { :;}; echo", "Referer: http://evil.example/",
	"Origin: http://evil.example", "Via: 1.1 evil", "Max-Forwards: 0", "X-Prometheus-Scrape-Timeout-Seconds: 9",
	"Expect:", "Content-Length: 0",
}

func TestRunnerReceivesOnlyTheGatesRequest(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	for _, lines := range [][]string{nil, irrelevantHeaders, {bearer(w.token)}} {
		expect(t, w.dialAs(t, w.scraper).RoundTrip(t, "GET", get("/metrics", lines...)), 200)
	}
	for _, host := range []string{"127.0.0.1:9252", "evil.example", "localhost:1", "[::1]", "a", ""} {
		wire := w.dialAs(t, w.scraper)
		expect(t, wire.RoundTrip(t, "GET", "GET /metrics HTTP/1.1\r\nHost: "+host+"\r\n\r\n"), 200)
	}
	want := gateRequest(t, w, strings.TrimSpace(acceptOf(w.recorder.Requests()[0])))
	for _, r := range w.recorder.Requests() {
		if r != want {
			t.Errorf("reached the runner:\n%q\nwant\n%q", r, want)
		}
	}
	if all := w.recorder.Bytes(); all != strings.Repeat(want, len(w.recorder.Requests())) {
		t.Errorf("more than requests reached the runner: %q", all)
	}
}

// Of the client's headers only Accept passes, reduced to the formats that the gate can label.
func TestAcceptIsFiltered(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	wire := w.dialAs(t, w.scraper)
	for _, accept := range []string{
		"text/plain", "*/*", "", "text/html, application/json",
		"application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
		"text/plain;x=\"a, b\"", "text/plain; evil=\"\\\"\"", strings.Repeat("text/plain,", 500), "text/plain\tx",
		"text/plain;q=\u00e9", "image/*;q=2", "text/plain;version=0.0.4\v",
	} {
		if reply := wire.RoundTrip(t, "GET", get("/metrics", "Accept: "+accept)); reply.Status == 400 {
			wire = w.dialAs(t, w.scraper) // not a valid header value
		} else {
			expect(t, reply, 200)
		}
	}
	for _, r := range w.recorder.Requests() {
		accept := strings.TrimSpace(acceptOf(r))
		if r != gateRequest(t, w, accept) || strings.ContainsAny(accept, "\"\\\t\v") ||
			strings.Contains(accept, "html") || strings.Contains(accept, "evil") || len(accept) > 1024 {
			t.Errorf("reached the runner: %q", r)
		}
	}
}

// malformed requests are refused by net/http before authentication. The connection is closed.
var malformed = map[string]string{
	"no host": "GET /metrics HTTP/1.1\r\n\r\n", "two hosts": "GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
	"host with a space": "GET /metrics HTTP/1.1\r\nHost: a b\r\n\r\n",
	"host with a path":  "GET /metrics HTTP/1.1\r\nHost: a/../b\r\n\r\n", "no version": "GET /metrics\r\n\r\n",
	"http 0.9": "GET /metrics HTTP/0.9\r\nHost: a\r\n\r\n", "http 2": "GET /metrics HTTP/2.0\r\nHost: a\r\n\r\n",
	"http 3":       "GET /metrics HTTP/3\r\nHost: a\r\n\r\n",
	"lower case":   "GET /metrics http/1.1\r\nHost: a\r\n\r\n",
	"version 1.10": "GET /metrics HTTP/1.10\r\nHost: a\r\n\r\n", "space before the colon": get("/metrics", "X : y"),
	"name with a space": get("/metrics", "X y: z"), "no colon": get("/metrics", "X"),
	"empty name":        get("/metrics", ": x"),
	"folded first line": "GET /metrics HTTP/1.1\r\n Host: a\r\n\r\n", "nul": get("/metrics", "X: a\x00b"),
	"nul in the target":   "GET /metrics\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
	"two spaces":          "GET  /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
	"space in the target": "GET /met rics HTTP/1.1\r\nHost: a\r\n\r\n",
	"tab":                 "GET\t/metrics\tHTTP/1.1\r\nHost: a\r\n\r\n",
	"method with a slash": "G/T /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
	"no method":           " /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "control in a value": get("/metrics", "X: \x01"),
	"binary": "\x16\x03\x01\x00\x05hello\r\n\r\n", "bare cr": "GET /metrics HTTP/1.1\rHost: a\r\n\r\n",
	"other te":     get("/metrics", "Transfer-Encoding: gzip"),
	"header flood": get("/metrics", strings.Split(strings.Repeat("X: y\n", 8000), "\n")[:8000]...),
	"huge value":   get("/metrics", "X: "+strings.Repeat("a", 64<<10)),
	"huge target":  get("/" + strings.Repeat("a", 64<<10)),
	"huge name":    get("/metrics", strings.Repeat("a", 64<<10)+": x"),
	"huge method":  strings.Repeat("A", 64<<10) + " /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
}

func TestMalformedRequestsAreRefused(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	before := w.gate.Resources(t)
	for name, text := range malformed {
		t.Run(name, func(t *testing.T) {
			wire := w.dialAs(t, w.ops)
			_ = wire.Send(text + get("/metrics")) // the gate may close the connection during the write
			if reply, err := wire.Receive("GET"); err == nil {
				if reply.Status < 400 || reply.Status == 404 || !reply.Close {
					t.Errorf("status %d, close %v", reply.Status, reply.Close)
				}
				if said := fmt.Sprint(reply.Header, reply.Body); strings.Contains(said, "aaaa") ||
					strings.Contains(said, w.recorder.Address) {
					t.Errorf("reflects: %.200q", said)
				}
			}
			if err := wire.AwaitClose(10 * second); err != nil {
				t.Error(err)
			}
		})
	}
	if got := w.recorder.Bytes(); got != "" {
		t.Errorf("reached the runner: %q", got)
	}
	w.gate.AwaitRelease(t, before)
}

// HTTP/1.0 is refused: its answer ends with the connection, so a truncated one looks complete.
func TestTruncatedHTTP10AnswerIsRefused(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	for _, line := range []string{"GET /metrics HTTP/1.0\r\n",
		"GET /metrics HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n", "PRI * HTTP/2.0\r\n"} {
		reply := w.dialAs(t, w.scraper).RoundTrip(t, "GET", line+"\r\n")
		if reply.Status != 505 && reply.Status != 400 {
			t.Errorf("%q: %d", line, reply.Status)
		}
		expect(t, w.dialAnonymous(t).RoundTrip(t, "GET", line+"\r\n"), 401)
	}
	if got := w.recorder.Bytes(); got != "" {
		t.Errorf("reached the runner: %q", got)
	}
}

func TestPipelinedRequestsAreAuthenticatedOneByOne(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	wire := w.dialAnonymous(t)
	if err := wire.Send(get("/metrics", bearer(w.token)) + get("/metrics") + get("/metrics", bearer(w.spare)) +
		get("/metrics", bearer("mg_x")) + get("/nowhere", bearer(w.token)) +
		get("/gate/metrics", bearer(w.token))); err != nil {
		t.Fatal(err)
	}
	for i, status := range []int{200, 401, 403, 401, 404, 200} {
		reply, err := wire.Receive("GET")
		if err != nil {
			t.Fatal(err)
		}
		if reply.Status != status {
			t.Errorf("answer %d: %d, want %d", i, reply.Status, status)
		}
	}
	if n := len(w.recorder.Requests()); n != 1 {
		t.Errorf("%d requests reached the runner", n)
	}
}
