package tlsconf

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"
)

// lists finds the list that counts for an issuer.
type lists struct {
	all         []*list
	authorities []*x509.Certificate // of the client CA file

	mu    sync.Mutex
	found map[digest]finding // by issuer certificate; bounded
}

// finding is what a search found: a list, or why there is none.
type finding struct {
	list *list
	err  error
}

// maxFindings bounds the intermediates remembered; beyond it the search starts over.
const maxFindings = 256

func newLists(all []*list, authorities []*x509.Certificate) *lists {
	return &lists{all: all, authorities: authorities, found: make(map[digest]finding)}
}

// check refuses a verified path that holds a revoked certificate, or an issuer without a
// good list. It returns until when that stays so.
func (ls *lists) check(path []*x509.Certificate, now time.Time) (until time.Time, err error) {
	until = path[0].NotAfter
	for i, issuer := range path[1:] {
		next, err := ls.listed(path[i], issuer, now)
		if err != nil {
			return until, err
		}
		until = earlier(until, next)
	}
	next, err := ls.anchor(path[len(path)-1], now)
	if err != nil {
		return until, err
	}
	return earlier(until, next), nil
}

// listed refuses cert if it is on the list of its issuer, or if that list is not good.
func (ls *lists) listed(cert, issuer *x509.Certificate, now time.Time) (until time.Time, err error) {
	l, err := ls.of(issuer)
	switch {
	case err != nil:
		return until, fmt.Errorf("%w: %s", err, issuer.Subject)
	case l.has(cert):
		return until, revoked(cert)
	case l.stale(now):
		return until, fmt.Errorf("%w since %s: %s", ErrStaleList, l.signed.NextUpdate.Format(time.RFC3339), issuer.Subject)
	}
	return l.signed.NextUpdate, nil
}

// anchor judges a certificate that is trusted by itself: a root by its own list, or an
// intermediate in the client CA file by that of its issuer. Such a list may be missing.
// One whose issuer is not in the client CA file cannot be verified, and is believed as far
// as it takes trust away.
func (ls *lists) anchor(cert *x509.Certificate, now time.Time) (until time.Time, err error) {
	until = cert.NotAfter
	known := false
	for _, ca := range ls.authorities {
		if !bytes.Equal(ca.RawSubject, cert.RawIssuer) || cert.CheckSignatureFrom(ca) != nil {
			continue
		}
		known = true
		next, err := ls.listed(cert, ca, now)
		switch {
		case errors.Is(err, ErrNoList):
		case err != nil:
			return until, err
		default:
			until = earlier(until, next)
		}
	}
	for _, l := range ls.newest() {
		if !known && l.names(cert.RawIssuer, cert.AuthorityKeyId) && l.has(cert) {
			return until, revoked(cert)
		}
	}
	return until, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func revoked(cert *x509.Certificate) error {
	return fmt.Errorf("%w: serial %x of %s", ErrRevoked, cert.SerialNumber, cert.Issuer)
}

// of is the newest list that issuer signed. The result is remembered: hashing a large
// list for its signature takes milliseconds.
func (ls *lists) of(issuer *x509.Certificate) (*list, error) {
	key := digest(sha256.Sum256(issuer.Raw))
	ls.mu.Lock()
	defer ls.mu.Unlock()
	f, ok := ls.found[key]
	if !ok {
		f.list, f.err = ls.search(issuer)
		if len(ls.found) >= maxFindings {
			clear(ls.found)
		}
		ls.found[key] = f
	}
	return f.list, f.err
}

func (ls *lists) search(issuer *x509.Certificate) (*list, error) {
	var newest *list
	err := ErrNoList
	for _, l := range ls.all {
		if !l.names(issuer.RawSubject, issuer.SubjectKeyId) || newest != nil && !l.newer(newest) {
			continue
		}
		if l.signed.CheckSignatureFrom(issuer) != nil {
			err = ErrBadList
			continue
		}
		newest = l
	}
	if newest != nil {
		return newest, nil
	}
	return nil, err
}

// names reports whether the list claims to be of the issuer with this name and key.
func (l *list) names(subject, key []byte) bool {
	if !bytes.Equal(l.signed.RawIssuer, subject) {
		return false
	}
	return len(key) == 0 || len(l.signed.AuthorityKeyId) == 0 || bytes.Equal(l.signed.AuthorityKeyId, key)
}
