package tlsconf

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

var errSwapped = errors.New("holds a certificate, not a private key")

// parseChain reads the certificates of the server's chain, in the file's order.
func parseChain(data []byte) ([]*x509.Certificate, error) {
	list, err := blocks(data)
	if err != nil {
		return nil, err
	}
	var chain []*x509.Certificate
	private := false
	for _, block := range list {
		if block.Type != certificateBlock {
			private = private || isPrivate(block)
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
		return nil, advise(errors.New("holds a private key, not a certificate"), "certificate and key file may be swapped")
	}
	return nil, errors.New("holds no certificate")
}

// parseKey reads the one private key of a file that may hold certificates or EC parameters too.
func parseKey(data []byte) (crypto.Signer, error) {
	list, err := blocks(data)
	if err != nil {
		return nil, err
	}
	var found *pem.Block
	certs := 0
	for _, block := range list {
		switch {
		case block.Type == certificateBlock:
			certs++
		case isPrivate(block) && found != nil:
			return nil, errors.New("holds more than one private key")
		case isPrivate(block):
			found = block
		}
	}
	switch {
	case found == nil && certs > 0:
		return nil, advise(errSwapped, "certificate and key file may be swapped")
	case found == nil:
		return nil, errors.New("holds no private key")
	case found.Type == "ENCRYPTED PRIVATE KEY" || found.Headers["DEK-Info"] != "":
		return nil, advise(errors.New("private key is encrypted"), "decrypt it (openssl pkey -in FILE -out FILE.plain) and guard it by its mode")
	}
	return signer(found)
}

func signer(block *pem.Block) (crypto.Signer, error) {
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("private key of type %q is unknown", block.Type)
	}
	if err != nil {
		// The parsers' words quote lengths and tags only, but a key is no place to find out.
		return nil, errors.New("private key is malformed")
	}
	s, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("private key of type %T cannot sign", key)
	}
	return s, nil
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
