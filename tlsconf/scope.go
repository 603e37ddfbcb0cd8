package tlsconf

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// kind is which sort of its issuer's certificates a list is for.
type kind int

const (
	anyKind  kind = iota
	userKind      // onlyContainsUserCerts
	caKind        // onlyContainsCACerts
)

// kindOf is by RFC 5280 section 6.3.3, steps b.2.ii and b.2.iii: the cA boolean of the
// basic constraints decides, not where in the path the certificate stands.
func kindOf(cert *x509.Certificate) kind {
	if cert.IsCA {
		return caKind
	}
	return userKind
}

// scope is the part of its issuer's certificates for which a list is complete, as its
// IssuingDistributionPoint says (RFC 5280 section 5.2.5). The zero value, for a list
// without one, is all of them.
type scope struct {
	points []string // URIs of its distribution point, sorted; none: it is for all points
	kind   kind
}

// parseScope reads an IssuingDistributionPoint. Refused is what leaves open whether a
// certificate is revoked (onlySomeReasons), what speaks of other issuers' certificates
// (indirectCRL) or of such as TLS does not know (onlyContainsAttributeCerts), and a point
// with a name that is no URI: pointsOf finds no other in certificates.
func parseScope(der []byte) (scope, error) {
	content, err := sequence(der)
	if err != nil {
		return scope{}, fmt.Errorf("issuing %w", err)
	}
	if len(content) == 0 { // section 5.2.5 forbids it
		return scope{}, errors.New("issuing distribution point is empty")
	}
	f, err := fields(content, 6)
	if err != nil {
		return scope{}, fmt.Errorf("issuing %w", err)
	}
	var s scope
	if s.kind, err = parseKind(f); err != nil {
		return scope{}, err
	}
	if absent(f[0]) {
		return s, nil
	}
	uris, others, err := pointNames(f[0])
	switch {
	case err != nil:
		return scope{}, fmt.Errorf("issuing %w", err)
	case others > 0:
		return scope{}, errors.New("names its distribution point otherwise than by URI")
	}
	slices.Sort(uris)
	s.points = slices.Compact(uris)
	return s, nil
}

// parseKind reads what an IssuingDistributionPoint bears beside its point, by tags.
func parseKind(f []asn1.RawValue) (kind, error) {
	if !absent(f[3]) {
		return 0, errors.New("covers only some reasons of revocation; only lists for all of them are supported")
	}
	var flags [6]bool
	for _, tag := range []int{1, 2, 4, 5} {
		var err error
		if flags[tag], err = boolean(f[tag]); err != nil {
			return 0, fmt.Errorf("issuing %w", err)
		}
	}
	switch user, ca, indirect, attribute := flags[1], flags[2], flags[4], flags[5]; {
	case indirect:
		return 0, errors.New("is an indirect list; only lists of the issuer itself are supported")
	case attribute:
		return 0, errors.New("covers only attribute certificates, which TLS does not use")
	case user && ca: // section 5.2.5 forbids it
		return 0, errors.New("covers only user and only CA certificates, which is none")
	case user:
		return userKind, nil
	case ca:
		return caKind, nil
	}
	return anyKind, nil
}

// same reports whether one list replaces another if it is newer: numbers are counted for
// each scope by itself (RFC 5280 section 5.2.3), so that of another scope says nothing.
func (s scope) same(other scope) bool {
	return s.kind == other.kind && slices.Equal(s.points, other.points)
}

// String names what is covered, for messages: "certificates", if it is everything.
func (s scope) String() string {
	names := map[kind]string{anyKind: "certificates", userKind: "user certificates", caKind: "CA certificates"}
	if len(s.points) == 0 {
		return names[s.kind]
	}
	return names[s.kind] + ` at "` + strings.Join(s.points, `", "`) + `"`
}

// covering picks, of one issuer's lists, those whose scope holds cert. That cert is not
// revoked is to be believed only of them: on a list for others it would never appear.
//
// A list without a point covers every certificate of its kind. Lists of different points
// are partitions, and each holds those certificates that name one of its URIs in their
// CRLDistributionPoints (RFC 5280 section 6.3.3, step b.2.i; compared byte for byte, which
// can only refuse more than the normal forms of section 7.4). One that names others is in
// a partition that is not here.
//
// A certificate that names no point at all, as step-ca's by default, does not tell its
// partition. If all of the issuer's lists here are of one point, they are taken not to be
// partitions: an issuer that makes some has to tell in its certificates which one to ask
// (section 4.2.1.13). Section 6.3.3 would look only for a list whose point is the issuer's
// own name, which these CAs do not write; this is laxer, and rests on the file to
// hold all lists of such an issuer. With a second point neither covers the certificate.
// Two sets of URIs are two points here even where they meet.
func covering(all []*list, cert *x509.Certificate) []*list {
	points, present := pointsOf(cert)
	one := onePoint(all)
	var kept []*list
	for _, l := range all {
		if l.scope.kind != anyKind && l.scope.kind != kindOf(cert) {
			continue
		}
		if len(l.scope.points) == 0 || l.scope.at(points) || !present && one {
			kept = append(kept, l)
		}
	}
	return kept
}

// at reports whether one of the points is that of the scope.
func (s scope) at(points []string) bool {
	return slices.ContainsFunc(points, func(p string) bool {
		_, ok := slices.BinarySearch(s.points, p)
		return ok
	})
}

// onePoint reports whether those lists that have a point have the same.
func onePoint(all []*list) bool {
	var first []string
	for _, l := range all {
		switch {
		case len(l.scope.points) == 0:
		case first == nil:
			first = l.scope.points
		case !slices.Equal(first, l.scope.points):
			return false
		}
	}
	return true
}

// wanted says what a list would have to cover to cover cert, for messages. Of several
// points it names the first.
func wanted(cert *x509.Certificate) string {
	points, present := pointsOf(cert)
	s := scope{kind: kindOf(cert), points: points[:min(len(points), 1)]}
	switch {
	case !present:
		return s.String() + " without a distribution point"
	case len(points) == 0:
		return s.String() + " at a distribution point that is no plain URI"
	}
	return s.String()
}
