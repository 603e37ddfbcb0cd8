package auth

import (
	"sync"
	"testing"
	"time"
)

// clock is a time that moves by Advance only.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func TestCacheEntriesExpire(t *testing.T) {
	now := newClock()
	c := newCache[string](4, now.Now)
	key := [32]byte{1}
	c.put(key, "value", now.Now().Add(time.Minute))
	if v, ok := c.get(key); !ok || v != "value" {
		t.Fatalf("get = %q, %v before its time", v, ok)
	}
	now.Advance(time.Minute)
	if v, ok := c.get(key); ok || v != "" {
		t.Fatalf("get = %q, %v at its time", v, ok)
	}
	if n := c.lru.Len(); n != 0 {
		t.Fatalf("%d entries remain", n)
	}
}

func TestCacheIsBounded(t *testing.T) {
	now := newClock()
	c := newCache[int](2, now.Now)
	for i := range 10 {
		c.put([32]byte{byte(i)}, i, now.Now().Add(time.Hour))
	}
	if n := c.lru.Len(); n != 2 {
		t.Fatalf("%d entries, want 2", n)
	}
	if _, ok := c.get([32]byte{0}); ok {
		t.Fatal("the oldest entry survived")
	}
	if v, ok := c.get([32]byte{9}); !ok || v != 9 {
		t.Fatalf("the newest entry = %d, %v", v, ok)
	}
	c.lru.Purge()
	if _, ok := c.get([32]byte{9}); ok {
		t.Fatal("an entry survived clear")
	}
}

func TestCacheStoresNothingExpired(t *testing.T) {
	now := newClock()
	c := newCache[int](0, now.Now) // a size below one is one
	c.put([32]byte{1}, 1, now.Now().Add(time.Hour))
	c.put([32]byte{2}, 2, now.Now())
	if _, ok := c.get([32]byte{1}); !ok {
		t.Fatal("an outdated value took a live one's place")
	}
}
