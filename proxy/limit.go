package proxy

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// FailureLimiter limits failed authentications: it has a token bucket for each peer IPv4
// address or IPv6 /64. Only the peer of the TCP connection counts, no header.
type FailureLimiter struct {
	buckets  *buckets[netip.Addr]
	observer *Observer
}

// NewFailureLimiter allows burst failures at once and rate a second, for each of at most size
// addresses. Further addresses share a bucket.
func NewFailureLimiter(rate float64, burst, size int) *FailureLimiter {
	return &FailureLimiter{buckets: newBuckets[netip.Addr](rate, burst, size)}
}

// Observe makes l count in o what it limits, and returns l.
func (l *FailureLimiter) Observe(o *Observer) *FailureLimiter {
	l.observer = o
	return l
}

// Exhausted reports whether the address of r has no failure left, so that no costly check
// should be made for it. It takes no token.
func (l *FailureLimiter) Exhausted(r *http.Request) bool { return l.buckets.empty(peer(r)) }

// Fail takes a token for a failure of the address of r. Without one it is not ok, and the
// address may try again after wait.
func (l *FailureLimiter) Fail(r *http.Request) (wait time.Duration, ok bool) {
	wait, ok = l.buckets.take(peer(r))
	if !ok {
		l.observer.addLimited(limiterFailures)
	}
	return wait, ok
}

// ReleaseIdle drops addresses whose failures are long ago.
func (l *FailureLimiter) ReleaseIdle() { l.buckets.releaseIdle() }

// peer returns the address that failures are counted for. All peers without a readable address
// are one.
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

// defaultIdentities is how many identities have a bucket of their own by default.
const defaultIdentities = 1024

// IdentityLimiterOptions say how fast one identity may send requests.
type IdentityLimiterOptions struct {
	Rate     float64                    // requests a second
	Burst    int                        // requests at once
	Size     int                        // identities with a bucket of their own; 0: 1024
	Key      func(*http.Request) string // tells identities apart
	Who      func(*http.Request) string // the name for the log; nil: none
	Log      *slog.Logger               // nil: nothing is logged
	Observer *Observer                  // nil: nothing is counted
}

// IdentityLimiter limits authenticated requests: it has a token bucket for each identity and
// class of route, so that profiles never use up what scrapes need.
type IdentityLimiter struct {
	o       IdentityLimiterOptions
	buckets *buckets[identityKey]
}

type identityKey struct {
	route    Route
	identity string
}

// NewIdentityLimiter returns a limiter with full buckets.
func NewIdentityLimiter(o IdentityLimiterOptions) *IdentityLimiter {
	if o.Size == 0 {
		o.Size = defaultIdentities
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Who == nil {
		o.Who = func(*http.Request) string { return "" }
	}
	return &IdentityLimiter{o: o, buckets: newBuckets[identityKey](o.Rate, o.Burst, o.Size)}
}

// ReleaseIdle drops identities that have sent nothing for long.
func (l *IdentityLimiter) ReleaseIdle() { l.buckets.releaseIdle() }

// Limit passes requests at the rate of their identity, and answers others 429 with
// Retry-After. It counts every request that reaches it, so it belongs right behind
// authentication: requests that a later stage refuses count too.
func (l *IdentityLimiter) Limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := RouteOf(r)
		wait, ok := l.buckets.take(identityKey{at, l.o.Key(r)})
		if ok {
			next.ServeHTTP(w, r)
			return
		}
		l.o.Observer.addLimited(limiterIdentity)
		l.o.Log.LogAttrs(r.Context(), slog.LevelWarn, "request refused",
			slog.String("remote", r.RemoteAddr), slog.String("subject", l.o.Who(r)),
			slog.String("route", at.String()), slog.String("reason", RefusedRate.String()))
		RefuseRetry(w, http.StatusTooManyRequests, wait)
	})
}
