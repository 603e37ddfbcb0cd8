package tlsconf

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
)

const oidCertificatePoints = "2.5.29.31" // CRLDistributionPoints, RFC 5280 section 4.2.1.13

// tagURI is uniformResourceIdentifier of GeneralName, RFC 5280 section 4.2.1.6.
const tagURI = 6

var errPoint = errors.New("distribution point is malformed")

// pointsOf returns the URIs of the certificate's CRLDistributionPoints (RFC 5280 section
// 4.2.1.13), and whether it has that extension. It leaves out points with a cRLIssuer, which
// only an indirect list can serve (section 6.3.3, step b.1), and points for some reasons,
// whose list need not hold every revoked certificate. Names that are not URIs match nothing
// here. A malformed extension counts as present and names no point.
// crypto/x509 gives the URIs alone, without what limits them.
func pointsOf(cert *x509.Certificate) (uris []string, present bool) {
	for _, e := range cert.Extensions {
		if e.Id.String() != oidCertificatePoints {
			continue
		}
		present = true
		content, err := sequence(e.Value)
		if err != nil {
			return nil, true
		}
		points, err := elements(content)
		if err != nil {
			return nil, true
		}
		for _, point := range points {
			found, err := plainPoint(point)
			if err != nil {
				return nil, true
			}
			uris = append(uris, found...)
		}
	}
	return uris, present
}

// plainPoint is the URIs of a DistributionPoint, none if it is limited.
func plainPoint(point asn1.RawValue) ([]string, error) {
	if point.Class != asn1.ClassUniversal || point.Tag != asn1.TagSequence || !point.IsCompound {
		return nil, errPoint
	}
	f, err := fields(point.Bytes, 3)
	if err != nil {
		return nil, err
	}
	name, reasons, issuer := f[0], f[1], f[2]
	if absent(name) || !absent(reasons) || !absent(issuer) {
		return nil, nil
	}
	uris, _, err := pointNames(name)
	return uris, err
}

// pointNames reads a DistributionPointName inside its explicit tag. It returns the URIs of its
// fullName and the number of names of other forms. A name relative to the issuer is one of those.
func pointNames(point asn1.RawValue) (uris []string, others int, err error) {
	if !point.IsCompound {
		return nil, 0, errPoint
	}
	choice, err := fields(point.Bytes, 2)
	if err != nil {
		return nil, 0, err
	}
	full, relative := choice[0], choice[1]
	switch {
	case absent(full) == absent(relative):
		return nil, 0, errPoint
	case absent(full):
		return nil, 1, nil
	case !full.IsCompound:
		return nil, 0, errPoint
	}
	names, err := elements(full.Bytes)
	if err != nil {
		return nil, 0, err
	}
	if len(names) == 0 { // GeneralNames has at least one
		return nil, 0, errPoint
	}
	for _, n := range names {
		switch {
		case n.Class != asn1.ClassContextSpecific || n.Tag == tagURI && n.IsCompound:
			return nil, 0, errPoint
		case n.Tag == tagURI:
			uris = append(uris, string(n.Bytes))
		default:
			others++
		}
	}
	return uris, others, nil
}

// sequence is the content of what is one SEQUENCE and nothing after it.
func sequence(der []byte) ([]byte, error) {
	var outer asn1.RawValue
	rest, err := asn1.Unmarshal(der, &outer)
	if err != nil || len(rest) > 0 || outer.Class != asn1.ClassUniversal || outer.Tag != asn1.TagSequence ||
		!outer.IsCompound {
		return nil, errPoint
	}
	return outer.Bytes, nil
}

func elements(der []byte) ([]asn1.RawValue, error) {
	var all []asn1.RawValue
	for len(der) > 0 {
		var one asn1.RawValue
		rest, err := asn1.Unmarshal(der, &one)
		if err != nil {
			return nil, errPoint
		}
		all, der = append(all, one), rest
	}
	return all, nil
}

// fields orders the optional fields [0] to [n-1] of a structure by their tags.
// Package asn1, reading a struct, skips fields that are out of order, repeated or unknown,
// such as an indirectCRL where it does not expect one.
func fields(der []byte, n int) ([]asn1.RawValue, error) {
	all, err := elements(der)
	if err != nil {
		return nil, err
	}
	byTag, next := make([]asn1.RawValue, n), 0
	for _, one := range all {
		if one.Class != asn1.ClassContextSpecific || one.Tag < next || one.Tag >= n {
			return nil, errPoint
		}
		byTag[one.Tag], next = one, one.Tag+1
	}
	return byTag, nil
}

func absent(v asn1.RawValue) bool { return len(v.FullBytes) == 0 }

// boolean reads an optional BOOLEAN that is false by default.
func boolean(v asn1.RawValue) (bool, error) {
	switch {
	case absent(v):
		return false, nil
	case v.IsCompound || len(v.Bytes) != 1 || v.Bytes[0] != 0 && v.Bytes[0] != 0xff:
		return false, errPoint
	}
	return v.Bytes[0] == 0xff, nil
}
