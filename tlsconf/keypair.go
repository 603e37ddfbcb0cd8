package tlsconf

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
)

// What a file holds that belongs into the other.
var (
	errHoldsCertificate = errors.New("holds a certificate, not a private key")
	errHoldsKey         = errors.New("holds a private key, not a certificate")
)

const adviceSwapped = "certificate and key file may be swapped"

// parseChain reads the certificates of the server's chain, in the file's order.
func parseChain(data []byte) ([]*x509.Certificate, error) {
	list, err := blocks(data)
	if err != nil {
		return nil, err
	}
	var chain []*x509.Certificate
	private, other := false, ""
	for _, block := range list {
		if block.Type != certificateBlock {
			private, other = private || isPrivate(block), block.Type
			continue
		}
		cert, err := certificate(block, len(chain)+1)
		if err != nil {
			return nil, err
		}
		chain = append(chain, cert)
	}
	switch {
	case len(chain) > 0:
		return chain, nil
	case private:
		return nil, advise(errHoldsKey, adviceSwapped)
	}
	return nil, advise(fmt.Errorf("holds no certificate but %s", other), misplaced(other))
}

// pair joins chain and key if the key is that of the first certificate.
func pair(chain []*x509.Certificate, key crypto.Signer) (tls.Certificate, error) {
	joined := tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for i, cert := range chain {
		if isKeyOf(key, cert) && i > 0 && !isKeyOf(key, chain[0]) {
			return tls.Certificate{}, advise(fmt.Errorf("key belongs to certificate %d, not to the first", i+1),
				"the server's own certificate comes first, then each intermediate")
		}
		joined.Certificate = append(joined.Certificate, cert.Raw)
	}
	if !isKeyOf(key, chain[0]) {
		return tls.Certificate{}, advise(errors.New("key does not match the certificate"),
			"replace certificate and key together; a pair that is half written is tried again")
	}
	return joined, nil
}

func isKeyOf(key crypto.Signer, cert *x509.Certificate) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(cert.PublicKey)
}
