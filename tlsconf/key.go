package tlsconf

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
)

var (
	errEncrypted = errors.New("private key is encrypted")
	errMalformed = errors.New("private key is malformed")
)

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
		return nil, advise(errHoldsCertificate, adviceSwapped)
	case found == nil:
		return nil, errors.New("holds no private key")
	case found.Type == "ENCRYPTED PRIVATE KEY" || found.Headers["DEK-Info"] != "" || isEncrypted(found.Bytes):
		return nil, advise(
			errEncrypted,
			"decrypt it (openssl pkey -in FILE -out FILE.plain) and guard it by its mode",
		)
	}
	return signer(found)
}

// signer reads the key of a block. A label that names another encoding is no matter: tools
// write PKCS #8 under RSA PRIVATE KEY and the reverse.
func signer(block *pem.Block) (crypto.Signer, error) {
	switch block.Type {
	case "PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY":
	case "OPENSSH PRIVATE KEY":
		return nil, advise(fmt.Errorf("private key of type %q is for SSH", block.Type),
			"use the key that the certificate was requested with")
	default:
		return nil, fmt.Errorf("private key of type %q is unknown", block.Type)
	}
	key, err := parsePrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	s, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("private key of type %T cannot sign", key)
	}
	return s, nil
}

// parsePrivateKey reads PKCS #8 (RFC 5958), PKCS #1 (RFC 8017) or SEC 1 (RFC 5915). Its error
// quotes nothing of the key.
func parsePrivateKey(der []byte) (any, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, errMalformed
}

// isEncrypted reports whether der is an EncryptedPrivateKeyInfo (RFC 5958 section 3).
func isEncrypted(der []byte) bool {
	var form struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	rest, err := asn1.Unmarshal(der, &form)
	return err == nil && len(rest) == 0
}
