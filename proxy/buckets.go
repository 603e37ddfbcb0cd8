package proxy

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
)

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
