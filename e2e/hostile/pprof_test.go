package hostile_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

const profileAnswer = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 2\r\n\r\n\x1f\x8b"

// targetOf returns the target of a request.
func targetOf(request string) string {
	_, rest, _ := strings.Cut(request, " ")
	target, _, _ := strings.Cut(rest, " ")
	return target
}

func TestPprofIsOffByDefaultAndNeedsAnIdentity(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerRaw(profileAnswer), "PPROF_ALLOW=")
	for _, who := range []string{"ops", "scraper", "guest"} {
		expect(t, w.ask(t, who, get("/debug/pprof/heap")), 403)
	}
	w = newFixture(t, harness.AnswerRaw(profileAnswer))
	expect(t, w.ask(t, "scraper", get("/debug/pprof/heap")), 403)
	expect(t, w.ask(t, "guest", get("/debug/pprof/profile?seconds=x")), 403)
	expect(t, w.ask(t, "ops", get("/debug/pprof/cmdline")), 404)
	expect(t, w.ask(t, "anonymous", get("/debug/pprof/heap")), 401)
	if got := w.recorder.Bytes(); got != "" {
		t.Errorf("reached the runner: %q", got)
	}
	expect(t, w.ask(t, "ops", get("/debug/pprof/heap")), 200)
}

func TestPprofParametersAreRebuilt(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerRaw(profileAnswer), "PPROF_MAX_SECONDS=5")
	for target, want := range map[string]string{
		"profile": "profile?seconds=5", "trace": "trace?seconds=5", "profile?seconds=1": "profile?seconds=1",
		"profile?seconds=86400": "profile?seconds=5",
		"trace?seconds=0.1":     "trace?seconds=1", "trace?seconds=1e9": "400",
		"profile?seconds=99999999999999999999999": "profile?seconds=5", "profile?seconds=1.0001": "profile?seconds=2",
		"profile?seconds=0": "400", "profile?seconds=-1": "400", "profile?seconds=": "400", "profile?seconds": "400",
		"profile?seconds=x": "400", "profile?seconds=0x1": "400", "profile?seconds=Inf": "400",
		"profile?seconds=NaN": "400",
		"profile?seconds=1_0": "400", "profile?seconds=%31": "400", "profile?seconds=+1": "400",
		"trace?seconds=.": "400", "trace?seconds=1.1.1": "400",
		"heap?seconds=3600": "heap?seconds=5", "heap?seconds=-1": "400", "heap?debug=1&gc=1": "heap?debug=1&gc=1",
		"heap?gc=1&debug=2": "heap?debug=2&gc=1", "heap?debug=3": "400", "heap?gc=2": "400", "heap?debug=-1": "400",
		"heap?debug=99":     "400",
		"goroutine?debug=2": "goroutine?debug=2", "mutex": "mutex", "allocs?x=y&seconds=2": "allocs?seconds=2",
		"block?SECONDS=9": "block", "heap?%73econds=9": "heap", "threadcreate?debug=0": "threadcreate?debug=0",
		"": "", "?debug=1": "", "symbol?0x1+0xAB": "symbol?0x1+0xab", "symbol?": "symbol", "symbol?0x1&x=y": "400",
		"symbol?1": "symbol?0x1", "symbol?0x": "400", "symbol?0x11111111111111111": "400", "symbol?0x1++0x2": "400",
		"symbol?0x1%2b0x2": "400",
	} {
		t.Run(target, func(t *testing.T) {
			before := len(w.recorder.Requests())
			reply := w.ask(t, "ops", get("/debug/pprof/"+target))
			requests := w.recorder.Requests()[before:]
			if want == "400" {
				expect(t, reply, 400)
				if len(requests) > 0 {
					t.Errorf("reached the runner: %q", requests)
				}
				return
			}
			expect(t, reply, 200)
			if len(requests) != 1 || targetOf(requests[0]) != "/debug/pprof/"+want {
				t.Errorf("reached the runner: %q, want %s", requests, want)
			}
		})
	}
}

// A parameter that occurs twice, in the query or in a form, is refused: two readers could
// choose different values.
func TestPprofParametersTwiceOrInAForm(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerRaw(profileAnswer), "PPROF_MAX_SECONDS=5")
	for _, text := range []string{
		get("/debug/pprof/profile?seconds=1&seconds=3600"), get("/debug/pprof/profile?seconds=1;seconds=3600"),
		get("/debug/pprof/heap?debug=0&debug=1"),
		request("POST", "/debug/pprof/profile?seconds=1", "Content-Type: application/x-www-form-urlencoded",
			"Content-Length: 12") + "seconds=3600",
		request("GET", "/debug/pprof/profile?seconds=1", "Content-Type: application/x-www-form-urlencoded",
			"Content-Length: 12") + "seconds=3600",
		request("POST", "/debug/pprof/symbol", "Content-Type: application/x-www-form-urlencoded",
			"Content-Length: 12") + "seconds=3600",
		request("PUT", "/debug/pprof/heap"),
	} {
		if reply := w.ask(t, "ops", text); reply.Status != 400 && reply.Status != 405 {
			t.Errorf("%.60q: %d", text, reply.Status)
		}
	}
	if got := w.recorder.Bytes(); got != "" {
		t.Errorf("reached the runner: %q", got)
	}
}

func TestOneProfileAtATimeCancelledWithItsClient(t *testing.T) {
	t.Parallel()
	profiles := make(chan *harness.Exchange, 10)
	w := newFixture(t, func(x *harness.Exchange) {
		if strings.Contains(x.Request, "/metrics") {
			harness.AnswerExposition(sample)(x)
			return
		}
		profiles <- x
	})
	before := w.gate.Resources(t)
	for _, name := range []string{"profile", "trace", "profile"} {
		running := w.dialAs(t, w.ops)
		if err := running.Send(get("/debug/pprof/" + name + "?seconds=30")); err != nil {
			t.Fatal(err)
		}
		at := <-profiles
		for _, other := range []string{"profile", "trace?seconds=1"} {
			reply := w.ask(t, "ops", get("/debug/pprof/"+other))
			expect(t, reply, 503)
			if reply.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		}
		expect(t, w.scrape(t), 200)
		_ = running.Close()
		select {
		case <-at.Closed:
		case <-time.After(1 * second):
			t.Errorf("%s goes on a second after its client left", name)
		}
	}
	w.gate.AwaitRelease(t, before)
	if got := strings.Count(w.gate.Log(), `"msg":"profile used"`); got != 3 {
		t.Errorf("%d lines about profiles in use, want 3", got)
	}
}

// The maximum number of profiles leaves exchange slots for scrapes, even of the same identity.
func TestProfilesLeaveRoomForScrapes(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	w := newCredentials(t)
	w.recorder = harness.StartRecorder(t, func(x *harness.Exchange) {
		if strings.Contains(x.Request, "/metrics") {
			harness.AnswerExposition(sample)(x)
			return
		}
		select {
		case <-release:
			x.Send(profileAnswer)
		case <-x.Closed:
		}
	})
	second := w.addToken(t, "ops2")
	w.pki.Write(t, "tokens", []byte(w.lines))
	w.gate = harness.StartGate(t,
		append(w.environ(), "PPROF_ALLOW=dns:ops.example,token:ops2", "MAX_IN_FLIGHT=8", "RATE_LIMIT=5",
			"RATE_BURST=20")...)
	for range 6 {
		wires := []*harness.Wire{w.dialAs(t, w.ops), w.dialAnonymous(t)}
		if err := wires[0].Send(get("/debug/pprof/heap?seconds=30")); err != nil {
			t.Fatal(err)
		}
		if err := wires[1].Send(get("/debug/pprof/heap?seconds=30", bearer(second))); err != nil {
			t.Fatal(err)
		}
	}
	harness.Eventually(t, "profiles run", func() bool {
		return len(w.recorder.Requests()) >= 4 && w.gate.Metrics(t)["metrics_gate_requests_in_flight"] >= 12
	})
	for range 3 {
		expect(t, w.ask(t, "scraper", get("/metrics", "X-Prometheus-Scrape-Timeout-Seconds: 2")), 200)
		expect(t, w.ask(t, "ops", get("/metrics", "X-Prometheus-Scrape-Timeout-Seconds: 2")), 200)
	}
	close(release)
}

func TestCoalescedScrapesAreOneExchange(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan string, 100), make(chan struct{})
	w := newFixture(t, func(x *harness.Exchange) {
		arrived <- strings.TrimSpace(acceptOf(x.Request))
		<-release
		harness.AnswerExposition(sample)(x)
	})
	const each = 10
	text, open := "Accept: text/plain;version=0.0.4", "Accept: application/openmetrics-text;version=1.0.0"
	var waiting sync.WaitGroup
	ask := func(who string, status int, lines ...string) {
		waiting.Go(func() {
			wire, err := w.connect(who)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = wire.Close() }()
			if err := wire.Send(get("/metrics", lines...)); err != nil {
				t.Error(err)
			}
			reply, err := wire.Receive("GET")
			if err != nil || reply.Status != status || status == 200 && reply.Body != labelled {
				t.Errorf("%s: %v, %v", who, reply, err)
			}
		})
	}
	for i := range each {
		encoding := fmt.Sprint("Accept-Encoding: ", []string{"identity", ""}[i%2])
		ask("scraper", 200, text, encoding)
		ask("ops", 200, open)
		ask("guest", 403, text)     // each request is authorized
		ask("anonymous", 401, text) // although other clients wait
	}
	harness.Eventually(t, "all wait", func() bool {
		return w.gate.Metrics(t)["metrics_gate_requests_in_flight"] == 2*each
	})
	close(release)
	waiting.Wait()
	first, second := <-arrived, <-arrived
	if n := len(w.recorder.Requests()); n != 2 || first == second {
		t.Errorf("%d exchanges for %d scrapes in two formats", n, 2*each)
	}
}
