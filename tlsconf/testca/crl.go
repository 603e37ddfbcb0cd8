package testca

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"
)

// CRLOptions describes a revocation list. The zero value is an empty list, number 1,
// of an hour ago and good for a day.
type CRLOptions struct {
	Revoked                []*x509.Certificate
	Number                 int64                           // 0: 1
	ThisUpdate, NextUpdate time.Time                       // zero: an hour ago, a day after ThisUpdate
	Points                 []string                        // URIs of its distribution point (RFC 5280 section 5.2.5)
	OnlyUsers              bool                            // onlyContainsUserCerts
	OnlyCAs                bool                            // onlyContainsCACerts
	Edit                   func(list *x509.RevocationList) // last change to the template
}

// point is the IssuingDistributionPoint extension, if the options ask for one.
func (o CRLOptions) point() ([]pkix.Extension, error) {
	if len(o.Points) == 0 && !o.OnlyUsers && !o.OnlyCAs {
		return nil, nil
	}
	type name struct {
		Full []asn1.RawValue `asn1:"optional,tag:0"`
	}
	content := struct {
		Name      name `asn1:"optional,tag:0"`
		OnlyUsers bool `asn1:"optional,tag:1"`
		OnlyCAs   bool `asn1:"optional,tag:2"`
	}{OnlyUsers: o.OnlyUsers, OnlyCAs: o.OnlyCAs}
	for _, uri := range o.Points {
		content.Name.Full = append(
			content.Name.Full,
			asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(uri)},
		)
	}
	der, err := asn1.Marshal(content)
	return []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: der}}, err
}

// CRL makes a revocation list of ca, in DER.
func (ca *CA) CRL(o CRLOptions) ([]byte, error) {
	list := &x509.RevocationList{
		Number:     big.NewInt(max(o.Number, 1)),
		ThisUpdate: o.ThisUpdate,
		NextUpdate: o.NextUpdate,
	}
	if list.ThisUpdate.IsZero() {
		list.ThisUpdate = time.Now().Add(-time.Hour)
	}
	if list.NextUpdate.IsZero() {
		list.NextUpdate = list.ThisUpdate.Add(25 * time.Hour)
	}
	for _, cert := range o.Revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: cert.SerialNumber, RevocationTime: list.ThisUpdate,
		})
	}
	var err error
	if list.ExtraExtensions, err = o.point(); err != nil {
		return nil, fmt.Errorf("revocation list of %q: %w", ca.Cert.Subject.CommonName, err)
	}
	if o.Edit != nil {
		o.Edit(list)
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, ca.Cert, ca.Key)
	if err != nil {
		return nil, fmt.Errorf("revocation list of %q: %w", ca.Cert.Subject.CommonName, err)
	}
	return der, nil
}
