package proxy

import (
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
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
func (l *FailureLimiter) Exhausted(r *http.Request) bool { return l.buckets.empty(Peer(r)) }

// Fail takes a token for a failure of the address of r. Without one it is not ok, and the
// address may try again after wait.
func (l *FailureLimiter) Fail(r *http.Request) (wait time.Duration, ok bool) {
	wait, ok = l.buckets.take(Peer(r))
	if !ok {
		l.observer.addLimited(limiterFailures)
	}
	return wait, ok
}

// ReleaseIdle drops addresses whose failures are long ago.
func (l *FailureLimiter) ReleaseIdle() { l.buckets.releaseIdle() }

// Peer returns the address that failures of r are counted for: an IPv4 address or the first of an
// IPv6 /64. All peers without a readable address are one.
func Peer(r *http.Request) netip.Addr {
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

// overflowShare is how many buckets the shared one stands for.
const overflowShare = 16

// buckets holds token buckets for at most size keys. A key is dropped only when its bucket is
// full, and so equal to a new one. While no bucket is full, further keys share one larger
// bucket: a flood of new keys neither grows the table nor refills used buckets.
type buckets[K comparable] struct {
	mu       sync.Mutex
	size     int
	limit    rate.Limit
	burst    int
	table    *simplelru.LRU[K, *rate.Limiter]
	overflow *rate.Limiter
	now      func() time.Time
}

// newBuckets returns full buckets of burst tokens that gain perSecond tokens a second.
func newBuckets[K comparable](perSecond float64, burst, size int) *buckets[K] {
	size = max(size, 1)
	return &buckets[K]{
		size: size, limit: rate.Limit(perSecond), burst: burst, table: newTable[K](size),
		overflow: rate.NewLimiter(rate.Limit(perSecond*overflowShare), burst*overflowShare),
		now:      time.Now,
	}
}

func newTable[K comparable](size int) *simplelru.LRU[K, *rate.Limiter] {
	table, err := simplelru.NewLRU[K, *rate.Limiter](size, nil)
	if err != nil {
		panic(err) // only a size of zero is an error
	}
	return table
}

// take takes a token of k. Without one it returns the time until there is one.
func (b *buckets[K]) take(k K) (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	l := b.bucket(k, now)
	if l.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - l.TokensAt(now)
	return time.Duration(missing / float64(l.Limit()) * float64(time.Second)), false
}

// empty reports whether take would fail now. It does not add k to the table.
func (b *buckets[K]) empty(k K) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if l, ok := b.table.Peek(k); ok {
		return l.TokensAt(now) < 1
	}
	if b.table.Len() < b.size {
		return false
	}
	if _, oldest, _ := b.table.GetOldest(); oldest.TokensAt(now) >= float64(b.burst) {
		return false
	}
	return b.overflow.TokensAt(now) < 1
}

// releaseIdle drops the least recently used keys whose bucket is full again.
func (b *buckets[K]) releaseIdle() {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, before := b.now(), b.table.Len()
	for b.table.Len() > 0 {
		old, l, _ := b.table.GetOldest()
		if l.TokensAt(now) < float64(b.burst) {
			return
		}
		b.table.Remove(old)
	}
	if before > 0 { // an emptied map keeps its memory
		b.table = newTable[K](b.size)
	}
}

// bucket returns the bucket of k, a new one, or the shared one.
func (b *buckets[K]) bucket(k K, now time.Time) *rate.Limiter {
	if l, ok := b.table.Get(k); ok {
		return l
	}
	if b.table.Len() < b.size {
		l := rate.NewLimiter(b.limit, b.burst)
		b.table.Add(k, l)
		return l
	}
	old, l, _ := b.table.GetOldest()
	if l.TokensAt(now) < float64(b.burst) {
		return b.overflow
	}
	b.table.Remove(old) // its full bucket serves k as a new one
	b.table.Add(k, l)
	return l
}
