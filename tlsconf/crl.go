package tlsconf

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"
)

const listBlock = "X509 CRL"

// Extensions of lists and their entries, RFC 5280 sections 5.2 and 5.3.
const (
	oidNumber            = "2.5.29.20"
	oidReason            = "2.5.29.21"
	oidInvalidityDate    = "2.5.29.24"
	oidDeltaIndicator    = "2.5.29.27"
	oidDistributionPoint = "2.5.29.28"
	oidCertificateIssuer = "2.5.29.29"
	oidAuthorityKey      = "2.5.29.35"
)

// derSequence is the first byte of a revocation list in DER.
const derSequence = 0x30

// list is one revocation list, complete for its scope. It keeps only what a check needs.
type list struct {
	signed  x509.RevocationList // issuer, times and what a signature check reads; no entries
	revoked map[string]struct{} // serial numbers, big-endian
	scope   scope
}

// Why a revocation list is refused when it is read. The file is taken whole or refused.
var (
	// ErrListNotYetValid: its this update (RFC 5280 section 5.1.2.4) is in the future.
	ErrListNotYetValid = errors.New("is not yet valid")
	// ErrWeakList: it is signed with SHA-1 or MD5.
	ErrWeakList = errors.New("is too weakly signed")
)

// parseLists reads every list of a file: PEM blocks, or DER, one after the other.
func parseLists(data []byte, now time.Time) ([]*list, error) {
	ders, err := listsDER(data)
	if err != nil {
		return nil, err
	}
	var all []*list
	for i, der := range ders {
		l, err := parseList(der)
		if err == nil {
			err = l.usable(now)
		}
		if err != nil {
			return nil, fmt.Errorf("list %d: %w", i+1, err)
		}
		all = append(all, l)
	}
	return all, nil
}

func listsDER(data []byte) ([][]byte, error) {
	var ders [][]byte
	if len(data) == 0 || data[0] != derSequence || bytes.Contains(data, []byte(pemBegin)) {
		found, err := blocks(data)
		if err != nil {
			return nil, err
		}
		for i, block := range found {
			if block.Type != listBlock {
				return nil, advise(fmt.Errorf("block %d is %s, not %s", i+1, block.Type, listBlock),
					"keep only revocation lists in this file")
			}
			ders = append(ders, block.Bytes)
		}
		return ders, nil
	}
	for len(data) > 0 {
		var one asn1.RawValue
		rest, err := asn1.Unmarshal(data, &one)
		if err != nil {
			return nil, fmt.Errorf("list %d: malformed DER, or cut off", len(ders)+1)
		}
		ders, data = append(ders, one.FullBytes), rest
	}
	return ders, nil
}

func parseList(der []byte) (*list, error) {
	parsed, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, fmt.Errorf("malformed: %w", err)
	}
	if len(parsed.Raw) != len(der) {
		return nil, errors.New("malformed: bytes after its end")
	}
	if parsed.NextUpdate.IsZero() {
		return nil, fmt.Errorf("of %s: it has no next update, which would tell when it is stale", parsed.Issuer)
	}
	covers, err := listExtensions(parsed.Extensions)
	if err != nil {
		return nil, fmt.Errorf("of %s: %w", parsed.Issuer, err)
	}
	l := &list{
		signed: trim(parsed), scope: covers,
		revoked: make(map[string]struct{}, len(parsed.RevokedCertificateEntries)),
	}
	for _, entry := range parsed.RevokedCertificateEntries {
		if err := entryExtensions(entry.Extensions); err != nil {
			return nil, fmt.Errorf("of %s: serial %s: %w", parsed.Issuer, entry.SerialNumber, err)
		}
		l.revoked[serial(entry.SerialNumber)] = struct{}{}
	}
	return l, nil
}

// trim keeps what CheckSignatureFrom and the choice of a list read.
func trim(l *x509.RevocationList) x509.RevocationList {
	return x509.RevocationList{
		RawTBSRevocationList: l.RawTBSRevocationList, RawIssuer: l.RawIssuer, Issuer: l.Issuer,
		Signature: l.Signature, SignatureAlgorithm: l.SignatureAlgorithm, AuthorityKeyId: l.AuthorityKeyId,
		Number: l.Number, ThisUpdate: l.ThisUpdate, NextUpdate: l.NextUpdate,
	}
}

func serial(n *big.Int) string { return string(n.Bytes()) }

// usable refuses a list that is signed with a broken hash or not yet valid.
func (l *list) usable(now time.Time) error {
	switch {
	case isBroken(l.signed.SignatureAlgorithm):
		return advise(fmt.Errorf("of %s: %w: %s", l.signed.Issuer, ErrWeakList, l.signed.SignatureAlgorithm),
			"let the CA sign its lists with SHA-256")
	case now.Before(l.signed.ThisUpdate):
		return advise(fmt.Errorf("of %s: %w: its this update is %s", l.signed.Issuer, ErrListNotYetValid,
			date(l.signed.ThisUpdate)), "set the clocks of the gate and of the CA")
	}
	return nil
}

func date(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// listExtensions reads the scope for which the list is complete, and refuses a list that is
// complete for none. A delta list (RFC 5280 section 5.2.4) holds only what is new.
func listExtensions(extensions []pkix.Extension) (scope, error) {
	var covers scope
	scoped := false
	for _, e := range extensions {
		switch id := e.Id.String(); {
		case id == oidDeltaIndicator:
			return scope{}, errors.New("is a delta list; only complete ones are supported")
		case id == oidDistributionPoint && scoped:
			return scope{}, errors.New("has two issuing distribution points")
		case id == oidDistributionPoint:
			var err error
			if covers, err = parseScope(e.Value); err != nil {
				return scope{}, err
			}
			scoped = true
		case e.Critical && id != oidNumber && id != oidAuthorityKey:
			return scope{}, fmt.Errorf("critical extension %s is unknown", id)
		}
	}
	return covers, nil
}

func entryExtensions(extensions []pkix.Extension) error {
	for _, e := range extensions {
		switch id := e.Id.String(); {
		case id == oidCertificateIssuer:
			return errors.New("names another issuer; indirect lists are not supported")
		case e.Critical && id != oidReason && id != oidInvalidityDate:
			return fmt.Errorf("critical extension %s is unknown", id)
		}
	}
	return nil
}

func (l *list) has(cert *x509.Certificate) bool {
	_, ok := l.revoked[serial(cert.SerialNumber)]
	return ok
}

func (l *list) stale(now time.Time) bool { return now.After(l.signed.NextUpdate) }

// newer orders lists of one issuer and scope: by number where both have one, else by date.
func (l *list) newer(other *list) bool {
	if a, b := l.signed.Number, other.signed.Number; a != nil && b != nil && a.Cmp(b) != 0 {
		return a.Cmp(b) > 0
	}
	return l.signed.ThisUpdate.After(other.signed.ThisUpdate)
}
