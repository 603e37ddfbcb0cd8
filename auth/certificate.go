package auth

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"
)

// certificateIdentities is how many leaves' identities are kept. An identity that was
// dropped is derived again, so this bounds memory and not clients.
const certificateIdentities = 1024

var errUnverified = errors.New("client certificate was not verified")

// Certificate authenticates requests by the verified leaf of their TLS connection.
type Certificate struct {
	verify     func(chains [][]*x509.Certificate) error
	identities *cache[Identity]
}

// NewCertificate returns the Authenticator of verified client certificates. verify is called
// on every request and says whether the chains that the handshake verified are still
// trusted: connections outlive expiry, revocation and reloads. Its error refuses; one that
// wraps ErrExpired, ErrRevoked or ErrUnknown is counted as that. A nil verify refuses everyone.
func NewCertificate(verify func(chains [][]*x509.Certificate) error) Authenticator {
	return &Certificate{verify: verify, identities: newCache[Identity](certificateIdentities, nil)}
}

// Authenticate implements Authenticator. A certificate that was presented and not verified
// refuses.
func (c *Certificate) Authenticate(r *http.Request) (Identity, error) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 && len(r.TLS.VerifiedChains) == 0 {
		return Identity{}, ErrNoCredential
	}
	chains := r.TLS.VerifiedChains
	if len(chains) == 0 || len(chains[0]) == 0 {
		return Identity{}, certificateRefusal(r.TLS.PeerCertificates, errUnverified)
	}
	if err := c.trusted(chains); err != nil {
		return Identity{}, certificateRefusal(chains[0], err)
	}
	return c.identityIn(r.Context(), chains[0][0]), nil
}

// certificateRefusal returns err with what tells the leaf of chain from other certificates.
func certificateRefusal(chain []*x509.Certificate, err error) *Refusal {
	refusal := &Refusal{Method: MethodCertificate, Err: err}
	if len(chain) > 0 {
		id := certificateIdentity(chain[0])
		refusal.Issuer, refusal.Subject = id.Issuer, id.Subject
		refusal.Details = []slog.Attr{
			slog.String(keySerial, fmt.Sprintf("%x", chain[0].SerialNumber)),
			slog.String(keyNotAfter, chain[0].NotAfter.UTC().Format(time.RFC3339)),
		}
	}
	return refusal
}

func (c *Certificate) trusted(chains [][]*x509.Certificate) error {
	if c.verify == nil {
		return errors.New("client certificate: no CA to verify it")
	}
	if err := c.verify(chains); err != nil {
		return fmt.Errorf("client certificate: %w", err)
	}
	return nil
}

// knownLeaf is a certificate and whose it is.
type knownLeaf struct {
	leaf *x509.Certificate
	id   Identity
}

// identityIn returns the names of leaf. A reused context keeps them: the requests of a connection have the
// same certificate.
func (c *Certificate) identityIn(ctx context.Context, leaf *x509.Certificate) Identity {
	reused, ok := ctx.Value(contextKey{}).(*contextIdentity)
	if !ok {
		return c.identity(leaf)
	}
	known := reused.known.Load()
	if known == nil || known.leaf != leaf {
		known = &knownLeaf{leaf, c.identity(leaf)}
		reused.known.Store(known)
	}
	return known.id
}

// identity returns the names of leaf. The key of the cache is a digest of the whole
// certificate, so an entry can never be out of date.
func (c *Certificate) identity(leaf *x509.Certificate) Identity {
	key := sha256.Sum256(leaf.Raw)
	id, ok := c.identities.get(key)
	if !ok {
		id = certificateIdentity(leaf)
		c.identities.put(key, id, leaf.NotAfter)
	}
	return id
}

// certificateIdentity returns leaf's exact typed names. Subject is the most specific of
// them: first what names a workload, then a host, a person, and last the common name, which
// no CA has to check.
func certificateIdentity(leaf *x509.Certificate) Identity {
	id := Identity{
		Method: MethodCertificate,
		Issuer: leaf.Issuer.String(),
		User:   leaf.Subject.CommonName,
		Groups: leaf.Subject.Organization,
	}
	uris, others, err := alternativeNames(leaf)
	switch {
	case err != nil:
		id.Omitted = err.Error()
	case len(uris) > 1 || leaf.IsCA:
		uris, id.Omitted = withoutSPIFFE(uris, leaf)
	}
	id.Names = append(uris, others...)
	if err == nil && len(id.Names)+len(id.Omitted) == 0 && leaf.Subject.CommonName != "" {
		id.Omitted = noAlternativeName
	}
	if leaf.Subject.CommonName != "" {
		id.Names = append(id.Names, KindCN+":"+leaf.Subject.CommonName)
	}
	switch {
	case len(id.Names) > 0:
		id.Subject = id.Names[0]
	case len(leaf.Subject.Names) > 0:
		id.Subject = leaf.Subject.String()
	default:
		id.Subject = "serial " + leaf.SerialNumber.String()
	}
	return id
}

// noAlternativeName says why no pattern but one of the common name matches a certificate.
const noAlternativeName = "the certificate has no subject alternative name that a pattern could match, so only cn: " +
	"matches it; issue it with its DNS name as one, or write cn:"

// withoutSPIFFE drops the SPIFFE IDs of a certificate that is not an X.509-SVID: one has
// exactly one URI and is no CA (X509-SVID sections 2 and 5.2).
func withoutSPIFFE(uris []string, leaf *x509.Certificate) (kept []string, omitted string) {
	for _, uri := range uris {
		switch {
		case !isSPIFFE(uri[len(KindURI+":"):]):
			kept = append(kept, uri)
		case leaf.IsCA:
			omitted = clip(uri) +
				": a SPIFFE ID does not count in a certificate of a CA; issue the client's without the CA flag"
		default:
			omitted = fmt.Sprintf("%s: a SPIFFE ID does not count in a certificate with %d URIs; "+
				"issue one with this URI alone", clip(uri), len(uris))
		}
	}
	return kept, omitted
}

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
