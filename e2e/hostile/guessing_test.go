package hostile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// guess tries a token from an address and returns the answer.
func (w *fixture) guess(from, token string, lines ...string) (*harness.Reply, error) {
	wire, err := harness.Dial(w.gate.Address, from, w.noCert)
	if err != nil {
		return nil, err
	}
	defer func() { _ = wire.Close() }()
	if err := wire.Send(get("/metrics", append(lines, bearer(token))...)); err != nil {
		return nil, err
	}
	return wire.Receive("GET")
}

// Failed guesses limit their address. Good credentials still pass from it.
func TestGuessingIsLimitedByAddress(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample), "FAILURE_RATE_LIMIT=0.01", "FAILURE_BURST=5")
	for i := range 20 {
		reply, err := w.guess("127.0.0.1", fmt.Sprint("mg_guess", i), fmt.Sprintf("X-Forwarded-For: 10.0.0.%d", i),
			fmt.Sprintf("X-Real-Ip: 10.0.0.%d", i), fmt.Sprintf("Forwarded: for=10.0.0.%d", i))
		if err != nil {
			t.Fatal(err)
		}
		if i < 5 {
			expect(t, reply, 401)
			continue
		}
		expect(t, reply, 429)
		if reply.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	expect(t, w.scrape(t), 200) // from the same address
	if reply, err := w.guess("127.0.0.1", w.token); err != nil || reply.Status != 200 {
		t.Errorf("a good token from the guesser's address: %v, %v", reply, err)
	}
	if reply, err := w.guess("127.9.0.1", "mg_other"); err != nil || reply.Status != 401 {
		t.Errorf("another address: %v, %v", reply, err)
	}
}

// Guessing from many addresses uses bounded memory, log and metrics. The unit tests of the
// failure limiter cover the bound of its table and IPv6 prefixes.
func TestGuessingFromManyAddressesIsBounded(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample), "FAILURE_RATE_LIMIT=0.01", "FAILURE_BURST=1", "LOG_LEVEL=info")
	expect(t, w.scrape(t), 200)
	before := w.gate.Resources(t)
	var all batch
	for i := range 1500 {
		all.add(func() error {
			reply, err := w.guess(fmt.Sprintf("127.%d.%d.%d", 10+i%7, i/250, i%250+1), "mg_guess")
			if err != nil || reply.Status != 401 && reply.Status != 429 {
				return fmt.Errorf("%v, %v", reply, err)
			}
			return nil
		})
	}
	all.run(t)
	expect(t, w.scrape(t), 200)
	w.gate.AwaitRelease(t, before)
	if n := strings.Count(w.gate.Log(), "authentication refused"); n > 200 {
		t.Errorf("%d log lines for 1500 guesses", n)
	}
	for series := range w.gate.Metrics(t) {
		if strings.Contains(series, "127.") || strings.Contains(series, "guess") {
			t.Errorf("an unauthenticated client created the series %s", series)
		}
	}
}

// An identity that is over its limit does not limit others. Scrapes and profiles are
// counted separately.
func TestIdentitiesAreLimitedSeparately(t *testing.T) {
	t.Parallel()
	w := newFixture(t, func(x *harness.Exchange) {
		if strings.Contains(x.Request, "/metrics") {
			harness.AnswerExposition(sample)(x)
			return
		}
		x.Send(profileAnswer)
	}, "RATE_LIMIT=0.01", "RATE_BURST=3", "METRICS_ALLOW=dns:prometheus.example,dns:ops.example,token:prometheus")
	for _, target := range []string{"/debug/pprof/heap", "/metrics"} {
		for i := range 6 {
			status := 200
			if i >= 3 {
				status = 429
			}
			expect(t, w.ask(t, "ops", get(target)), status)
		}
	}
	expect(t, w.scrape(t), 200)
	if reply, err := w.guess("", w.token); err != nil || reply.Status != 200 {
		t.Errorf("%v, %v", reply, err)
	}
}
