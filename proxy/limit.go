package proxy

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// Strangers is the lane of those who fail to prove who they are: a bucket of
// failures for each peer IPv4 address or IPv6 /64. Only the peer of the TCP
// connection counts, no header.
type Strangers struct {
	buckets  *buckets[netip.Addr]
	observer *Observer
}

// NewStrangers allows burst failures at once and rate a second, for each of at
// most size addresses. Beyond these, all others share a bucket.
func NewStrangers(rate float64, burst, size int) *Strangers {
	return &Strangers{buckets: newBuckets[netip.Addr](rate, burst, size)}
}

// Observe makes s count what it limits, and returns s.
func (s *Strangers) Observe(o *Observer) *Strangers {
	s.observer = o
	return s
}

// Exhausted reports whether the address of r has used up its failures, so that
// nothing costly should be done for it now. It notes nothing.
func (s *Strangers) Exhausted(r *http.Request) bool { return s.buckets.empty(peer(r)) }

// Fail notes a failure of the address of r. When its bucket is empty already it
// is not ok, and the address may try again after wait.
func (s *Strangers) Fail(r *http.Request) (wait time.Duration, ok bool) {
	wait, ok = s.buckets.take(peer(r))
	if !ok {
		s.observer.limited(laneStrangers)
	}
	return wait, ok
}

// Tidy forgets addresses whose failures are long ago.
func (s *Strangers) Tidy() { s.buckets.tidy() }

// peer is the address that failures are counted for. All peers without a
// readable address are one.
func peer(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	a := ap.Addr().Unmap().WithZone("")
	if a.Is4() {
		return a
	}
	return netip.PrefixFrom(a, 64).Masked().Addr()
}

// membersSize is how many identities have a bucket of their own by default.
const membersSize = 1024

// MembersOptions say how fast one identity may ask.
type MembersOptions struct {
	Rate     float64                    // requests a second
	Burst    int                        // requests at once
	Size     int                        // identities with a bucket of their own; 0: 1024
	Key      func(*http.Request) string // tells identities apart
	Who      func(*http.Request) string // the name for the log; nil: none
	Log      *slog.Logger               // nil: nothing is logged
	Observer *Observer                  // nil: nothing is counted
}

// Members is the lane of those who have proven who they are: a bucket of
// requests for each identity and class of route, so that profiles never use up
// what scrapes need.
type Members struct {
	o       MembersOptions
	buckets *buckets[memberKey]
}

type memberKey struct {
	route    Route
	identity string
}

// NewMembers returns a lane with all buckets full.
func NewMembers(o MembersOptions) *Members {
	if o.Size == 0 {
		o.Size = membersSize
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Who == nil {
		o.Who = func(*http.Request) string { return "" }
	}
	return &Members{o: o, buckets: newBuckets[memberKey](o.Rate, o.Burst, o.Size)}
}

// Tidy forgets identities that have not asked for long.
func (m *Members) Tidy() { m.buckets.tidy() }

// Limit passes requests at the rate of their identity; others get 429 with
// Retry-After.
func (m *Members) Limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := routeOf(r)
		wait, ok := m.buckets.take(memberKey{at, m.o.Key(r)})
		if ok {
			next.ServeHTTP(w, r)
			return
		}
		m.o.Observer.limited(laneMembers)
		m.o.Log.LogAttrs(r.Context(), slog.LevelWarn, "request refused", slog.String("remote", r.RemoteAddr),
			slog.String("subject", m.o.Who(r)), slog.String("route", at.String()), slog.String("reason", "too many requests"))
		RefuseRetry(w, http.StatusTooManyRequests, wait)
	})
}
