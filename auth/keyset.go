package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// fetchTimeout bounds one refresh of an issuer's keys, discovery included.
const fetchTimeout = 3 * time.Second

// keySource gets an issuer's keys, and says in the ring when that was.
type keySource interface {
	fetch(ctx context.Context) (*keyring, error)
}

// keySet keeps the keys of one issuer. It is go-oidc's KeySet where that asks
// too much and forgets too much: there every bad token costs a fetch, an empty
// answer wipes the keys, and they never age.
type keySet struct {
	issuer      string
	algorithms  []jose.SignatureAlgorithm
	minInterval time.Duration
	maxAge      time.Duration
	now         func() time.Time
	log         *slog.Logger
	source      keySource // nil: keys come from a file, put into ring by load

	ring atomic.Pointer[keyring] // last good one; nil until there is one

	mu     sync.Mutex
	flight *flight   // the refresh in flight, if any
	tried  time.Time // when the last one began
	last   error     // how it ended
}

// flight is a refresh that any number of requests wait for.
type flight struct {
	done chan struct{} // closed at the end
	err  error         // valid after that
}

// attempt travels through go-oidc in the context and brings back which key
// verified and what was wrong: go-oidc would turn an error into text.
type attempt struct {
	alg, kid string
	key      *publicKey
	err      error
}

type attemptKey struct{}

// VerifySignature implements oidc.KeySet for a token that parseJWT has let pass
// and whose attempt is in ctx.
func (k *keySet) VerifySignature(ctx context.Context, token string) (payload []byte, err error) {
	a, ok := ctx.Value(attemptKey{}).(*attempt)
	if !ok {
		return nil, errors.New("no attempt in the context")
	}
	payload, a.key, a.err = k.verify(ctx, token, a)
	return payload, a.err
}

func (k *keySet) verify(ctx context.Context, token string, a *attempt) ([]byte, *publicKey, error) {
	jws, err := jose.ParseSignedCompact(token, k.algorithms)
	if err != nil {
		return nil, nil, errHeader // jose's text shows parts of the token
	}
	ring := k.current()
	payload, key, err := ring.verify(jws, a.alg, a.kid)
	if !errors.Is(err, errNoKey) || k.source == nil {
		return payload, key, err
	}
	if err := k.refresh(ctx); err != nil {
		return nil, nil, fmt.Errorf("issuer's keys: %w: %w", ErrUnavailable, err)
	}
	if fresh := k.current(); fresh != ring {
		return fresh.verify(jws, a.alg, a.kid)
	}
	return nil, nil, errNoKey
}

// current returns the ring unless its keys are too old to count.
func (k *keySet) current() *keyring {
	ring := k.ring.Load()
	if ring == nil || !ring.file && k.now().Sub(ring.at) >= k.maxAge {
		return nil
	}
	return ring
}

// refresh asks the issuer for its keys, unless it was asked within the last
// minInterval: then the outcome of that time counts. All callers share one
// question, which goes on when they leave.
func (k *keySet) refresh(ctx context.Context) error {
	k.mu.Lock()
	f := k.flight
	if f == nil {
		now := k.now()
		if !k.tried.IsZero() && now.Sub(k.tried) < k.minInterval {
			defer k.mu.Unlock()
			return k.last
		}
		f = &flight{done: make(chan struct{})}
		k.flight, k.tried = f, now
		go k.fly(f)
	}
	k.mu.Unlock()
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (k *keySet) fly(f *flight) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	ring, err := k.source.fetch(ctx)
	if err == nil {
		k.ring.Store(ring)
	}
	k.report(err)
	k.mu.Lock()
	defer k.mu.Unlock()
	f.err, k.last, k.flight = err, err, nil
	close(f.done)
}

// report logs a failure, and the first success after one. It is called at most
// once in minInterval.
func (k *keySet) report(err error) {
	k.mu.Lock()
	before := k.last
	k.mu.Unlock()
	switch {
	case err != nil && k.current() == nil:
		k.log.Error("issuer's keys cannot be had; its tokens are refused", "issuer", k.issuer, "err", err)
	case err != nil:
		k.log.Warn("issuer's keys cannot be refreshed; the last ones are kept", "issuer", k.issuer, "err", err)
	case before != nil:
		k.log.Info("issuer's keys are refreshed again", "issuer", k.issuer)
	}
}
