package auth

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"

	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

// oidcFiles are the digests of the files behind an OIDC.
type oidcFiles struct{ ca, keys [32]byte }

// Reload reads the CA file and the key file again and loads both, or none if one is bad.
// changed tells whether one of them differs from before. The discovery token is read at every
// use. The error joins an *OptionError for each bad file.
func (a *OIDC) Reload() (changed bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var files oidcFiles
	var roots *x509.CertPool
	var ring *keyring
	var badCA, badKeys error
	if path := a.options.CAFile; path != "" {
		roots, files.ca, badCA = readRoots(OptionCAFile, path)
	}
	if path := a.options.JWKSFile; path != "" {
		ring, files.keys, badKeys = a.readKeys(path)
	}
	if err := errors.Join(badCA, badKeys); err != nil {
		return false, err
	}
	if a.keys.source != nil && (a.client.Load() == nil || files.ca != a.files.ca) {
		a.client.Store(newKeyClient(roots))
	}
	if ring != nil {
		ring.file = true
		a.keys.install(ring)
	}
	changed = files != a.files
	a.files = files
	return changed, nil
}

func (a *OIDC) readKeys(path string) (*keyring, [sha256.Size]byte, error) {
	data, err := readFile(OptionJWKSFile, path, safefile.Rule{MaxBytes: maxDocument})
	if err != nil {
		return nil, [sha256.Size]byte{}, err
	}
	ring, err := a.parseKeys(data)
	if err != nil {
		return nil, [sha256.Size]byte{}, &OptionError{Option: OptionJWKSFile, Value: path, Err: err,
			Advice: "it must be a JWK Set (RFC 7517) with a public signing key"}
	}
	return ring, sha256.Sum256(data), nil
}
