package tlsconf

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// lists finds the lists that count for an issuer.
type lists struct {
	all []*list
	cas []*x509.Certificate // of the client CA file

	mu    sync.Mutex
	found map[digest]finding // by issuer certificate; bounded
}

// finding is what there is in the name of one issuer.
type finding struct {
	good []*list // signed by it, the newest of each scope
	bad  []*list // not signed by it
}

// none is why a finding without a good list has none.
func (f finding) none() error {
	if len(f.bad) > 0 {
		return ErrBadList
	}
	return ErrNoList
}

// maxFindings bounds the cached issuers; beyond it the cache starts over.
const maxFindings = 256

func newLists(all []*list, cas []*x509.Certificate) *lists {
	return &lists{all: all, cas: cas, found: make(map[digest]finding)}
}

// check refuses a verified path that holds a revoked certificate, or an issuer without a
// good list, with a *CertificateError. It returns until when the result holds.
func (ls *lists) check(path []*x509.Certificate, now time.Time) (until time.Time, err error) {
	until = path[0].NotAfter
	for i, issuer := range path[1:] {
		next, err := ls.listed(path[i], issuer, now)
		if err != nil {
			return until, refuse(path[i], err)
		}
		until = earlier(until, next)
	}
	anchor := path[len(path)-1]
	next, err := ls.anchor(anchor, now)
	if err != nil {
		return until, refuse(anchor, err)
	}
	return earlier(until, next), nil
}

// listed refuses cert if it is on a list of its issuer, or if no list says that it is not.
// An entry counts on each of the issuer's lists, because a serial number is that of one
// certificate of the issuer (RFC 5280 section 4.1.2.2). The absence of an entry counts only
// on the lists that cover cert, and each of them must be good.
func (ls *lists) listed(cert, issuer *x509.Certificate, now time.Time) (until time.Time, err error) {
	found := ls.of(issuer)
	for _, l := range found.good {
		if l.has(cert) {
			return until, revoked(cert)
		}
	}
	good := covering(found.good, cert)
	switch {
	case len(found.good) == 0:
		return until, fmt.Errorf("%w: %s", found.none(), issuer.Subject)
	case len(good) == 0 && len(covering(found.bad, cert)) > 0:
		return until, fmt.Errorf("%w: %s", ErrBadList, issuer.Subject)
	case len(good) == 0:
		return until, fmt.Errorf("%w: %s: none covers %s", ErrNoList, issuer.Subject, wanted(cert))
	}
	until = cert.NotAfter
	for _, l := range good {
		if l.stale(now) {
			return until, fmt.Errorf("%w since %s: %s", ErrStaleList, date(l.signed.NextUpdate), issuer.Subject)
		}
		until = earlier(until, l.signed.NextUpdate)
	}
	return until, nil
}

// anchor judges a certificate of the client CA file: a root by its own list, an intermediate
// by those of its issuer. Such a list may be missing, or be for other certificates. A list
// whose issuer is not in the client CA file cannot be verified; its entries count all the
// same, because they only take trust away.
func (ls *lists) anchor(cert *x509.Certificate, now time.Time) (until time.Time, err error) {
	until = cert.NotAfter
	issuerFound := false
	for _, ca := range ls.cas {
		if !bytes.Equal(ca.RawSubject, cert.RawIssuer) || cert.CheckSignatureFrom(ca) != nil {
			continue
		}
		issuerFound = true
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
		if !issuerFound && l.names(cert.RawIssuer, cert.AuthorityKeyId) && l.has(cert) {
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

// of finds the lists of issuer. The result is cached: hashing a large list for its signature
// takes milliseconds.
func (ls *lists) of(issuer *x509.Certificate) finding {
	key := digest(sha256.Sum256(issuer.Raw))
	ls.mu.Lock()
	defer ls.mu.Unlock()
	f, ok := ls.found[key]
	if !ok {
		f = ls.search(issuer)
		if len(ls.found) >= maxFindings {
			clear(ls.found)
		}
		ls.found[key] = f
	}
	return f
}

func (ls *lists) search(issuer *x509.Certificate) finding {
	var f finding
	for _, l := range ls.all {
		if !l.names(issuer.RawSubject, issuer.SubjectKeyId) {
			continue
		}
		at := slices.IndexFunc(f.good, func(g *list) bool { return g.scope.same(l.scope) })
		switch {
		case at >= 0 && !l.newer(f.good[at]):
		case l.signed.CheckSignatureFrom(issuer) != nil:
			f.bad = append(f.bad, l)
		case at >= 0:
			f.good[at] = l
		default:
			f.good = append(f.good, l)
		}
	}
	return f
}

// names reports whether the list claims to be of the issuer with this name and key.
func (l *list) names(subject, key []byte) bool {
	if !bytes.Equal(l.signed.RawIssuer, subject) {
		return false
	}
	return len(key) == 0 || len(l.signed.AuthorityKeyId) == 0 || bytes.Equal(l.signed.AuthorityKeyId, key)
}
