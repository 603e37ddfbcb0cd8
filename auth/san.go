package auth

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
)

// Tags of a GeneralName (RFC 5280 section 4.2.1.6).
const (
	tagEmail = 1
	tagDNS   = 2
	tagURI   = 6
)

var errAlternativeNames = errors.New("subject alternative names are malformed")

// alternativeNames returns the names of leaf's subject alternative name extension as their
// bytes stand, as typed names: uri: first, then dns: and email:. crypto/x509 parses a URI
// and writes it anew, which makes different names equal.
func alternativeNames(leaf *x509.Certificate) (uris, others []string, err error) {
	oid := asn1.ObjectIdentifier{2, 5, 29, 17}
	var emails []string
	for _, extension := range leaf.Extensions {
		if !extension.Id.Equal(oid) {
			continue
		}
		var sequence asn1.RawValue
		rest, err := asn1.Unmarshal(extension.Value, &sequence)
		if err != nil || len(rest) > 0 || sequence.Tag != asn1.TagSequence || !sequence.IsCompound {
			return nil, nil, errAlternativeNames
		}
		for rest = sequence.Bytes; len(rest) > 0; {
			var name asn1.RawValue
			if rest, err = asn1.Unmarshal(rest, &name); err != nil || name.Class != asn1.ClassContextSpecific {
				return nil, nil, errAlternativeNames
			}
			switch name.Tag {
			case tagURI:
				uris = append(uris, KindURI+":"+string(name.Bytes))
			case tagDNS:
				others = append(others, KindDNS+":"+string(name.Bytes))
			case tagEmail:
				emails = append(emails, KindEmail+":"+string(name.Bytes))
			}
		}
	}
	return uris, slices.Concat(others, emails), nil
}
