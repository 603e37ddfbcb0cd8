package testca

import (
	"crypto/rand"
	"crypto/x509"
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
	Edit                   func(list *x509.RevocationList) // last change to the template
}

// CRL makes a revocation list of ca, in DER.
func (ca *CA) CRL(o CRLOptions) ([]byte, error) {
	list := &x509.RevocationList{Number: big.NewInt(max(o.Number, 1)), ThisUpdate: o.ThisUpdate, NextUpdate: o.NextUpdate}
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
	if o.Edit != nil {
		o.Edit(list)
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, ca.Cert, ca.Key)
	if err != nil {
		return nil, fmt.Errorf("revocation list of %q: %w", ca.Cert.Subject.CommonName, err)
	}
	return der, nil
}
