package proxy

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
)

func from(addr string) *http.Request { return &http.Request{RemoteAddr: addr} }

// clock is a time that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time       { return c.t }
func (c *clock) pass(d time.Duration) { c.t = c.t.Add(d) }
func newClock() *clock                { return &clock{time.Unix(1_000_000, 0)} }

func TestFailureLimiter(t *testing.T) {
	s, c := NewFailureLimiter(5, 3, 100), newClock()
	s.buckets.now = c.now
	s.Observe(NewObserver(prometheus.NewRegistry()))
	a := from("192.0.2.1:1")
	for range 3 {
		if s.Exhausted(a) {
			t.Fatal("exhausted too soon")
		}
		if _, ok := s.Fail(a); !ok {
			t.Fatal("fails too soon")
		}
	}
	wait, ok := s.Fail(a)
	if ok || !s.Exhausted(a) || wait <= 0 || wait > 200*time.Millisecond {
		t.Errorf("after the burst: %v, wait %v", ok, wait)
	}
	for _, same := range []string{"192.0.2.1:2", "[::ffff:192.0.2.1]:3"} {
		if !s.Exhausted(from(same)) {
			t.Errorf("%s counts as another", same)
		}
	}
	for _, other := range []string{"192.0.2.2:1", "[::1]:1", "[2001:db8::1]:1"} {
		if s.Exhausted(from(other)) {
			t.Errorf("%s suffers", other)
		}
	}
	c.pass(200 * time.Millisecond)
	if s.Exhausted(a) {
		t.Error("no token after 200 ms")
	}
	if _, ok := s.Fail(a); !ok {
		t.Error("no token after 200 ms")
	}
}

func TestAddressesOfOnePrefixShareABucket(t *testing.T) {
	s := NewFailureLimiter(0.001, 20, 1000)
	for i := range 20 {
		if _, ok := s.Fail(from(fmt.Sprintf("[2001:db8:1:2:%x::%x%%eth0]:1", i, i))); !ok {
			t.Fatal("fails too soon")
		}
	}
	if !s.Exhausted(from("[2001:db8:1:2:ffff::1]:9")) {
		t.Error("an address of the /64 is not limited")
	}
	if s.Exhausted(from("[2001:db8:1:3::1]:9")) {
		t.Error("the next /64 is")
	}
	if s.buckets.table.Len() != 1 {
		t.Errorf("%d buckets", s.buckets.table.Len())
	}
	for _, strange := range []string{"", "@", "nonsense", "1.2.3.4"} {
		if Peer(from(strange)).IsValid() {
			t.Errorf("%q is an address", strange)
		}
	}
}

func TestFloodOfAddresses(t *testing.T) {
	const size = 64
	s, c := NewFailureLimiter(1, 4, size), newClock()
	s.buckets.now = c.now
	guesser := from("192.0.2.1:1")
	for range 5 {
		s.Fail(guesser)
	}
	passed := 0
	for i := range 100_000 {
		if _, ok := s.Fail(from(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255))); ok {
			passed++
		}
	}
	if n := s.buckets.table.Len(); n != size {
		t.Errorf("%d buckets, want %d", n, size)
	}
	if most := size + 4*overflowShare; passed > most {
		t.Errorf("%d failures passed, want at most %d", passed, most)
	}
	if !s.Exhausted(guesser) {
		t.Error("the flood bought back what the guesser had used up")
	}
	if fresh := from("203.0.113.1:1"); !s.Exhausted(fresh) {
		t.Error("a new address has a bucket of its own, in a full table")
	}
	c.pass(time.Minute)
	if fresh := from("203.0.113.1:1"); s.Exhausted(fresh) {
		t.Error("the flood has an effect a minute later")
	} else if _, ok := s.Fail(fresh); !ok || s.buckets.table.Len() != size {
		t.Error("no place for a new address a minute later")
	}
}

func TestIdentityLimiter(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := NewIdentityLimiter(IdentityLimiterOptions{
		Rate: 0.5, Burst: 2, Key: func(r *http.Request) string { return r.Header.Get("Id") },
		Observer: NewObserver(registry),
	})
	h := m.Limit(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	ask := func(id, target string) *httptest.ResponseRecorder {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", target, nil)
		r.Header.Set("Id", id)
		h.ServeHTTP(w, r)
		return w
	}
	for range 2 {
		if w := ask("a", "/debug/pprof/heap"); w.Code != 200 {
			t.Fatalf("within the burst: %d", w.Code)
		}
	}
	w := ask("a", "/debug/pprof/profile")
	if w.Code != 429 || w.Header().Get("Retry-After") != "2" || w.Body.String() != "Too Many Requests\n" {
		t.Errorf("beyond it: %d %v %q", w.Code, w.Header(), w.Body)
	}
	if w := ask("a", "/metrics"); w.Code != 200 {
		t.Errorf("profiles count against scrapes: %d", w.Code)
	}
	if w := ask("b", "/debug/pprof/heap"); w.Code != 200 {
		t.Errorf("another identity suffers: %d", w.Code)
	}
	if n := proxytest.Metric(t, registry, "metrics_gate_rate_limited_total", "limiter", "identity"); n != 1 {
		t.Errorf("%v counted", n)
	}
}

func TestWholeSeconds(t *testing.T) {
	for d, want := range map[time.Duration]int64{
		-time.Hour: 1, 0: 1, 1: 1, time.Second: 1, time.Second + 1: 2, 90 * time.Second: 90,
	} {
		if got := wholeSeconds(d); got != want {
			t.Errorf("%v: %d, want %d", d, got, want)
		}
	}
}

func TestLimitersAllocateNothing(t *testing.T) {
	s, r := NewFailureLimiter(1000, 1000, 10), from("[2001:db8::1]:1234")
	s.Fail(r)
	if n := testing.AllocsPerRun(100, func() { s.Exhausted(r); s.Fail(r) }); n > 0 {
		t.Errorf("new peers: %v allocations", n)
	}
	b := newBuckets[identityKey](1000, 1000, 10)
	b.take(identityKey{RouteMetrics, "id"})
	if n := testing.AllocsPerRun(100, func() { b.take(identityKey{RouteMetrics, "id"}) }); n > 0 {
		t.Errorf("members: %v allocations", n)
	}
	small := from("192.0.2.1:1234")
	if n := testing.AllocsPerRun(100, func() { literal("/metrics?x=y"); Peer(small) }); n > 0 {
		t.Errorf("helpers: %v allocations", n)
	}
}

// TestEmptiedTableGivesBackItsMemory forgets those whose bucket is full again, and nobody else.
func TestEmptiedTableGivesBackItsMemory(t *testing.T) {
	s, c := NewFailureLimiter(1, 4, 1000), newClock()
	s.buckets.now = c.now
	for i := range 500 {
		s.Fail(from(fmt.Sprintf("10.0.%d.%d:1", i/250, i%250)))
	}
	guesser := from("192.0.2.1:1")
	for range 5 {
		s.Fail(guesser)
	}
	s.ReleaseIdle()
	if n := s.buckets.table.Len(); n != 501 {
		t.Fatalf("%d addresses, want all 501", n)
	}
	c.pass(2 * time.Second)
	s.Fail(guesser)
	s.ReleaseIdle()
	if n := s.buckets.table.Len(); n != 1 {
		t.Errorf("%d addresses, want the guesser alone", n)
	}
	s.Fail(guesser)
	if !s.Exhausted(guesser) {
		t.Error("the guesser has its failures back")
	}
	c.pass(10 * time.Second)
	if s.ReleaseIdle(); s.buckets.table.Len() != 0 {
		t.Errorf("%d addresses after a rest", s.buckets.table.Len())
	}
}

// A stage behind the limiter may refuse: the request counts all the same.
func TestIdentityLimiterCountsRefusedRequests(t *testing.T) {
	for status, refuse := range map[int]func(http.Handler) http.Handler{
		http.StatusBadRequest: Target,
		http.StatusNotFound: func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { Refuse(w, http.StatusNotFound) })
		},
		http.StatusForbidden: func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { Refuse(w, http.StatusForbidden) })
		},
	} {
		l := NewIdentityLimiter(
			IdentityLimiterOptions{Rate: 0.001, Burst: 5, Key: func(*http.Request) string { return "a" }},
		)
		h := l.Limit(refuse(http.NotFoundHandler()))
		for n := range 8 {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/a%2fb", nil))
			if want := map[bool]int{true: status, false: http.StatusTooManyRequests}[n < 5]; w.Code != want {
				t.Errorf("request %d: %d, want %d", n, w.Code, want)
			}
		}
	}
}
