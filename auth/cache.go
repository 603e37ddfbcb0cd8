package auth

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// cache remembers at most a fixed number of values, each until its own time.
// Keys are digests, so what is remembered never holds a secret and no choice
// of parts makes two entries meet. It is safe for concurrent use.
type cache[V any] struct {
	now func() time.Time
	mu  sync.Mutex
	lru *simplelru.LRU[[32]byte, cached[V]]
}

type cached[V any] struct {
	value V
	until time.Time
}

// newCache returns a cache of size entries (at least one); nil now is time.Now.
func newCache[V any](size int, now func() time.Time) *cache[V] {
	if now == nil {
		now = time.Now
	}
	lru, err := simplelru.NewLRU[[32]byte, cached[V]](max(size, 1), nil)
	if err != nil {
		panic(err) // a size below 1, which max rules out
	}
	return &cache[V]{now: now, lru: lru}
}

// get returns the value of key unless its time has come.
func (c *cache[V]) get(key [32]byte) (V, bool) {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	entry, ok := c.lru.Get(key)
	if ok && !now.Before(entry.until) {
		c.lru.Remove(key)
		ok = false
	}
	if !ok {
		var none V
		return none, false
	}
	return entry.value, true
}

// put remembers v under key until the given time; a time that has come is not
// worth a place.
func (c *cache[V]) put(key [32]byte, v V, until time.Time) {
	if !c.now().Before(until) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Add(key, cached[V]{v, until})
}

// clear forgets everything, for when what vouched for the entries is gone.
func (c *cache[V]) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Purge()
}
