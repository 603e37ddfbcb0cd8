package tlsconf

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"time"
)

// maxVerdicts bounds the clients in the cache of one snapshot; beyond it the cache starts over.
const maxVerdicts = 256

// refusalAge is how long a refusal is repeated before it is worked out again: a certificate
// may become valid, and a refused client must not cost a signature check for each request.
const refusalAge = time.Second

// verdict is the outcome for one set of chains, within [from, until].
type verdict struct {
	chains      [][]*x509.Certificate
	from, until time.Time
	err         error
}

// verdicts caches outcomes by a hash of the leaf. The zero value is ready.
type verdicts struct {
	once    sync.Once
	seed    maphash.Seed
	mu      sync.RWMutex
	entries map[uint64]*verdict
}

func (vs *verdicts) key(leaf *x509.Certificate) uint64 {
	vs.once.Do(func() { vs.seed, vs.entries = maphash.MakeSeed(), make(map[uint64]*verdict) })
	return maphash.Bytes(vs.seed, leaf.Raw)
}

// get returns the outcome for chains if it is cached and holds at now.
func (vs *verdicts) get(key uint64, chains [][]*x509.Certificate, now time.Time) *verdict {
	vs.mu.RLock()
	v := vs.entries[key]
	vs.mu.RUnlock()
	if v == nil || now.Before(v.from) || now.After(v.until) || !equal(v.chains, chains) {
		return nil
	}
	return v
}

func (vs *verdicts) put(key uint64, v *verdict) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if len(vs.entries) >= maxVerdicts {
		clear(vs.entries)
	}
	vs.entries[key] = v
}

// equal compares by content: each connection parses the client's certificates anew.
func equal(a, b [][]*x509.Certificate) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if len(a[i]) != len(b[i]) {
			return false
		}
		for j, cert := range a[i] {
			if cert != b[i][j] && !bytes.Equal(cert.Raw, b[i][j].Raw) {
				return false
			}
		}
	}
	return true
}

func (s *snapshot) verify(chains [][]*x509.Certificate, now time.Time) error {
	if s.trust.roots == nil || len(chains) == 0 || len(chains[0]) == 0 {
		return refuse(nil, fmt.Errorf("%w: no verified chain", ErrUntrusted))
	}
	key := s.verdicts.key(chains[0][0])
	v := s.verdicts.get(key, chains, now)
	if v == nil {
		v = s.trust.judge(chains, now)
		s.verdicts.put(key, v)
	}
	return v.err
}

// judge builds the paths anew, because the CAs may have changed after the handshake that
// verified chains, and takes the path that stays good longest.
func (t *trust) judge(chains [][]*x509.Certificate, now time.Time) *verdict {
	v := &verdict{chains: chains, from: now.Add(-refusalAge), until: now.Add(refusalAge)}
	paths, err := t.paths(chains, now)
	if err != nil {
		v.err = err
		return v
	}
	good := false
	for _, path := range paths {
		from, until, err := t.lifetime(path, now)
		switch {
		case err == nil && (!good || until.After(v.until)):
			good, v.err, v.from, v.until = true, nil, from, until
		case err != nil && !good && (v.err == nil || errors.Is(err, ErrRevoked)):
			v.err = err
		}
	}
	return v
}

// lifetime is when a path, good now, begins and ceases to be so: by its certificates and lists.
func (t *trust) lifetime(path []*x509.Certificate, now time.Time) (from, until time.Time, err error) {
	from, until = path[0].NotBefore, path[0].NotAfter
	for _, cert := range path {
		if err := checkStrength(cert); err != nil {
			return from, until, refuse(cert, fmt.Errorf("%w: %s", err, cert.Subject))
		}
		until = earlier(until, cert.NotAfter)
		if cert.NotBefore.After(from) {
			from = cert.NotBefore
		}
	}
	if t.lists != nil {
		next, err := t.lists.check(path, now)
		if err != nil {
			return from, until, err
		}
		until = earlier(until, next)
	}
	return from, until, nil
}
