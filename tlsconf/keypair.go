package tlsconf

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
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

// LoadPair reads the certificate chain and the key of a client, in the forms that New reads. Their
// modes do not matter: they decide what the client is, and not who gets in. The error joins a
// *FileError for each bad file.
func LoadPair(certFile, keyFile string) (tls.Certificate, error) {
	files := []source{
		{RoleServer, certFile, safefile.Rule{MaxBytes: maxChain, Public: true}},
		{RoleKey, keyFile, safefile.Rule{MaxBytes: maxKey, Public: true}},
	}
	data, _, failures := read(files)
	_, joined, failed := loadPair(data, Files{Cert: certFile, Key: keyFile})
	failures = append(failures, failed...)
	return joined, join(withoutDerived(failures, keyFile))
}

// loadPair makes the chain and the pair of what the files hold. The errors are *FileError; there is
// none for a file that was not read.
func loadPair(data content, files Files) (chain []*x509.Certificate, joined tls.Certificate, failures []error) {
	add := func(role, path string, err error) { failures = append(failures, fileError(role, path, err)) }
	var err error
	if pem, ok := data[RoleServer]; ok {
		if chain, err = parseChain(pem); err != nil {
			add(RoleServer, files.Cert, err)
		}
	}
	if pem, ok := data[RoleKey]; ok {
		key, err := parseKey(pem)
		if err == nil && chain != nil {
			if joined, err = pair(chain, key, files.Key); err != nil {
				add(RoleServer, files.Cert, err)
			}
		} else if err != nil {
			add(RoleKey, files.Key, err)
		}
	}
	return chain, joined, failures
}

// pair joins chain and key if the key, of the file at path, is that of the first certificate.
func pair(chain []*x509.Certificate, key crypto.Signer, path string) (tls.Certificate, error) {
	joined := tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for i, cert := range chain {
		if isKeyOf(key, cert) && i > 0 && !isKeyOf(key, chain[0]) {
			return tls.Certificate{}, advise(fmt.Errorf("key belongs to certificate %d, not to the first", i+1),
				"the server's own certificate comes first, then each intermediate")
		}
		joined.Certificate = append(joined.Certificate, cert.Raw)
	}
	if !isKeyOf(key, chain[0]) {
		return tls.Certificate{}, advise(fmt.Errorf("key does not match the certificate (key file %s)", path),
			"replace certificate and key together")
	}
	return joined, nil
}

func isKeyOf(key crypto.Signer, cert *x509.Certificate) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(cert.PublicKey)
}
