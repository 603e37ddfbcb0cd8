package hostile_test

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// misuse is input that would forge a log record if it were not escaped.
const misuse = "\x1b[31m\r\n{\"level\":\"ERROR\",\"msg\":\"forged\"}"

// requestsWith returns requests that contain token where it belongs and where it does not.
func requestsWith(token string) []string {
	return []string{
		get("/metrics", bearer(token)), get("/metrics?token="+token, bearer(token), "Cookie: "+token),
		get("/gate/metrics", bearer(token)), get("/"+token, bearer(token)),
		get("/debug/pprof/heap?token="+token, bearer(token)),
		get("/metrics", "Authorization: "+token), get("/metrics", "Authorization: Basic "+token),
		get("/metrics", bearer(token), bearer(token)), request("DELETE", "/metrics", bearer(token)),
		request(token[:20], "/metrics", bearer(token)),
		get("/metrics", bearer(token), "User-Agent: "+token, "X-Forwarded-For: "+token, "Referer: "+token),
		"GET /metrics HTTP/1.1\r\nHost: " + token + "\r\n" + bearer(token) + "\r\n\r\n",
		"GET /metrics?" + token + " HTTP/9.9\r\n" + bearer(token) + "\r\n\r\n", get("/metrics", "X\x00: "+token),
		bearer(token) + "\r\n\r\n", request("POST", "/metrics", bearer(token), "Content-Length: 9") + token[:9],
	}
}

// Every log record is one line of JSON without a token, at all levels.
func TestLogHasOneEscapedRecordAndNoToken(t *testing.T) {
	t.Parallel()
	w, i := withIssuer(t, "PPROF_ALLOW=dns:ops.example")
	good := i.sign(es256, i.validClaims(nil))
	tokens := []string{w.token, w.spare, good, "mg_" + strings.Repeat("guessed", 6),
		i.sign(es256, i.validClaims(claims{"sub": "forged\n{\"level\":\"ERROR\"}"})),
		i.sign(`{"alg":"ES256","kid":"forged\u000a"}`, i.validClaims(nil))}
	for _, token := range tokens {
		for _, text := range requestsWith(token) {
			for _, who := range []string{"anonymous", "ops"} {
				wire, err := w.connect(who)
				if err != nil {
					t.Fatal(err)
				}
				_ = wire.Send(text)
				_, _ = wire.Receive("GET") // any answer is fine
				_ = wire.Close()
			}
		}
	}
	for _, text := range []string{misuse, "\x16\x03\x01", tokens[0], "GET / HTTP/1.1\r\n\r\n",
		"\x16\x03\x01\x00\x05" + misuse} {
		conn, err := net.Dial("tcp", w.gate.Address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write([]byte(text))
		_ = conn.Close()
	}
	w.reload(t, "nothing has changed")
	lines := 0
	for line := range strings.Lines(w.gate.Log()) {
		lines++
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil || record["msg"] == "" || record["level"] == "" {
			t.Errorf("not a record: %q", line)
		}
		if len(line) > 4096 || strings.ContainsAny(line, "\x1b\r\x00") || record["msg"] == "forged" {
			t.Errorf("%d bytes: %.300q", len(line), line)
		}
		for n, token := range tokens {
			if n != 3 && strings.Contains(line, token[max(0, len(token)-30):]) || strings.Contains(line, token) {
				t.Errorf("shows token %d: %s", n, line)
			}
		}
	}
	if lines < 50 {
		t.Errorf("only %d lines", lines)
	}
}

func TestUnauthenticatedClientsCannotFloodTheLog(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample), "LOG_LEVEL=info")
	before := strings.Count(w.gate.Log(), "\n")
	var all batch
	for i := range 1000 {
		all.add(func() error {
			conn, err := dialTCP(w.gate.Address, fmt.Sprintf("127.20.%d.1", i%50))
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close() }()
			if i%2 == 0 {
				_, err = conn.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
				return err
			}
			wire, err := harness.ClientTLS(conn, w.noCert)
			if err != nil {
				return err
			}
			if err := wire.Send(get("/metrics", bearer("mg_x"))); err != nil {
				return err
			}
			_, err = wire.Receive("GET")
			return err
		})
	}
	all.run(t)
	if n := strings.Count(w.gate.Log(), "\n") - before; n > 300 {
		t.Errorf("%d lines for 1000 events", n)
	}
	for series := range w.gate.Metrics(t) {
		if strings.Contains(series, "127.20.") {
			t.Errorf("an unauthenticated client created the series %s", series)
		}
	}
}

// localhost means 127.0.0.1, as any local user may listen on [::1]. Proxy variables have
// no effect.
func TestLocalhostUpstreamIsIPv4WithoutProxy(t *testing.T) {
	t.Parallel()
	_, port, _ := net.SplitHostPort(harness.FreeAddress(t))
	impostor, err := net.Listen("tcp", "[::1]:"+port)
	if err != nil {
		t.Fatal(err)
	}
	evil := harness.StartRecorderOn(t, impostor, harness.AnswerExposition("evil 1\n"))
	proxy := harness.StartRecorder(t, harness.AnswerExposition("evil 1\n"))
	w := newCredentials(t)
	w.gate = harness.StartGate(t, append(w.environ(), "UPSTREAM_URL=http://localhost:"+port,
		"$HTTP_PROXY=http://"+proxy.Address, "$http_proxy=http://"+proxy.Address, "$ALL_PROXY=http://"+proxy.Address,
		"$HTTPS_PROXY=http://"+proxy.Address)...)
	expect(t, w.scrape(t), 502)
	if got := evil.Bytes() + proxy.Bytes(); got != "" {
		t.Errorf("another server received: %q", got)
	}
	real, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	w.recorder = harness.StartRecorderOn(t, real, harness.AnswerExposition(sample))
	if reply := w.scrape(t); reply.Body != labelled {
		t.Errorf("%d %q", reply.Status, reply.Body)
	}
}
