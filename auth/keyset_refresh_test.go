package auth

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeSource is a keySource with one answer at a time.
type fakeSource struct {
	mu    sync.Mutex
	asked int
	ring  *keyring
	err   error
}

func (s *fakeSource) fetch(context.Context) (*keyring, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.err != nil {
		return nil, s.err
	}
	ring := *s.ring
	ring.at = wallClock()
	return &ring, nil
}

func (s *fakeSource) answer(ring *keyring, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring, s.err = ring, err
}

func (s *fakeSource) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func ringOf(t *testing.T, kids ...string) *keyring {
	t.Helper()
	var keys []*signKey
	for _, kid := range kids {
		keys = append(keys, newECKey(t, kid))
	}
	ring, err := parseKeyring(jwkSet(t, keys...), []string{"ES256"}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestKeysAreRefreshedInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		source := &fakeSource{err: errors.New("down")}
		k := &keySet{issuer: "https://idp.example", minInterval: 10 * time.Second, maxAge: 24 * time.Hour,
			now: wallClock, log: slog.New(slog.NewTextHandler(&log, nil)), source: source}
		ctx, cancel := context.WithCancel(t.Context())
		go k.run(ctx)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := source.count(); n < 3 || n > 4 || k.current() != nil {
			t.Errorf("asked %d times in the first minute of an outage, want 3 or 4", n)
		}
		source.answer(ringOf(t, "k1"), nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if _, ok := k.current().named("k1"); !ok {
			t.Error("no keys a minute after the outage")
		}
		source.answer(ringOf(t, "k2"), nil)
		time.Sleep(maxRefresh)
		synctest.Wait()
		if _, ok := k.current().named("k2"); !ok {
			t.Errorf("no new keys %s after they were published", maxRefresh)
		}
		before := source.count()
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := source.count() - before; n < 4 || n > 5 {
			t.Errorf("asked %d times in a quiet hour, want 4 or 5", n)
		}
		cancel()
		synctest.Wait()
		for _, want := range []string{"level=ERROR", "cannot be fetched", "level=INFO", "refreshed again",
			"issuer=https://idp.example"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("log lacks %s: %s", want, log.String())
			}
		}
	})
}

func TestRefreshOutlivesItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		source := &heldSource{hold: hold, ring: ringOf(t, "k1")}
		k := &keySet{
			minInterval: 10 * time.Second,
			maxAge:      time.Hour,
			now:         wallClock,
			log:         slog.New(slog.DiscardHandler),
			source:      source,
		}
		ctx, leave := context.WithCancel(t.Context())
		left, stayed := make(chan error, 1), make(chan error, 1)
		go func() { left <- k.refresh(ctx) }()
		synctest.Wait()
		go func() { stayed <- k.refresh(t.Context()) }()
		leave()
		if err := <-left; !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("the caller that left: %v", err)
		}
		close(hold)
		if err := <-stayed; err != nil || k.current() == nil {
			t.Errorf("the other caller: %v", err)
		}
	})
}

// heldSource answers when hold is closed.
type heldSource struct {
	hold chan struct{}
	ring *keyring
}

func (s *heldSource) fetch(context.Context) (*keyring, error) {
	<-s.hold
	s.ring.at = wallClock()
	return s.ring, nil
}

func TestClockSetBack(t *testing.T) {
	clock := newClock()
	source := &fakeSource{ring: ringOf(t, "k1")}
	k := &keySet{
		minInterval: 10 * time.Second,
		maxAge:      time.Hour,
		now:         clock.Now,
		log:         slog.New(slog.DiscardHandler),
		source:      source,
	}
	refresh := func() {
		t.Helper()
		if err := k.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	refresh()
	clock.Advance(-time.Hour)
	refresh()
	if n := source.count(); n != 2 {
		t.Errorf("asked %d times, want again after the clock was set back", n)
	}
	k.install(&keyring{at: clock.Now().Add(2 * time.Minute)})
	if k.current() != nil {
		t.Error("keys of the future count")
	}
	c := newCache[int](1, clock.Now)
	c.put([32]byte{}, 1, clock.Now().Add(time.Hour))
	clock.Advance(-time.Minute)
	if _, ok := c.get([32]byte{}); ok {
		t.Error("a cache entry from the future counts")
	}
}

func TestClockHasNoMonotonicReading(t *testing.T) {
	if now := wallClock(); strings.Contains(now.String(), "m=") {
		t.Errorf("%s ages by the monotonic clock, which stands still while the machine is suspended", now)
	}
	if o := (OIDCOptions{}).withDefaults(); strings.Contains(o.Now().String(), "m=") {
		t.Error("OIDC ages keys by the monotonic clock")
	}
	if o := (KubernetesOptions{}).withDefaults(); strings.Contains(o.Now().String(), "m=") {
		t.Error("reviews age by the monotonic clock")
	}
}
