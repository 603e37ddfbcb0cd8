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

// kindOf follows RFC 5280 section 6.3.3, steps b.2.ii and b.2.iii: the cA boolean of the
// basic constraints decides, not the position in the path.
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

// parseScope reads an IssuingDistributionPoint. It refuses a list for some reasons only
// (onlySomeReasons), which leaves open whether a certificate is revoked; a list of other
// issuers' certificates (indirectCRL); a list of attribute certificates
// (onlyContainsAttributeCerts), which TLS does not use; and a point whose name is not a URI,
// because pointsOf finds only URIs in certificates.
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

// parseKind reads the fields of an IssuingDistributionPoint other than its point, by tags.
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

// same reports whether one list replaces another if it is newer. Each scope has its own
// numbers (RFC 5280 section 5.2.3), so those of another scope cannot be compared.
func (s scope) same(other scope) bool {
	return s.kind == other.kind && slices.Equal(s.points, other.points)
}

// String names the covered certificates, for messages: "certificates" if it is all of them.
func (s scope) String() string {
	names := map[kind]string{anyKind: "certificates", userKind: "user certificates", caKind: "CA certificates"}
	if len(s.points) == 0 {
		return names[s.kind]
	}
	return names[s.kind] + ` at "` + strings.Join(s.points, `", "`) + `"`
}

// covering picks those lists of one issuer whose scope holds cert. Only they show that cert
// is not revoked: on a list for other certificates it would never appear.
//
// A list without a point covers every certificate of its kind. Lists of different points
// are partitions: each holds the certificates that name one of its URIs in their
// CRLDistributionPoints (RFC 5280 section 6.3.3, step b.2.i). URIs are compared byte for
// byte, which can only refuse more than the normal forms of section 7.4. A certificate that
// names other URIs is in a partition that is not in the file.
//
// A certificate that names no point, as step-ca writes them by default, does not tell its
// partition. If all lists of the issuer have one point, they are not partitions: an issuer
// with partitions must name them in its certificates (section 4.2.1.13). Such a list covers
// the certificate. Section 6.3.3 would require the point to be the issuer's own name, which
// these CAs do not write, so this rule is laxer; it relies on the file to hold all lists of
// such an issuer. With a second point neither list covers the certificate. Two sets of URIs
// are two points even if they overlap.
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
