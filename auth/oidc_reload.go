package auth

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/prometheus/client_golang/prometheus"
)

// oidcFiles are the digests of the files behind an OIDC.
type oidcFiles struct{ ca, keys [32]byte }

// Reload reads the CA file and the key file again and takes both over, or none
// if one is bad; changed tells whether one of them is another than before. The
// discovery token is read at every use.
func (a *OIDC) Reload() (changed bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var files oidcFiles
	var roots *x509.CertPool
	var ring *keyring
	if path := a.options.CAFile; path != "" {
		if roots, files.ca, err = readRoots(path); err != nil {
			return false, err
		}
	}
	if path := a.options.JWKSFile; path != "" {
		if ring, files.keys, err = a.readKeys(path); err != nil {
			return false, err
		}
	}
	if a.remote != nil && (a.remote.client.Load() == nil || files.ca != a.files.ca) {
		a.remote.client.Store(newKeyClient(roots))
	}
	if ring != nil {
		ring.file = true
		a.keys.ring.Store(ring)
	}
	changed = files != a.files
	a.files = files
	return changed, nil
}

// readRoots reads a CA file. One without a certificate is an error: it must not
// end as the system's roots.
func readRoots(path string) (*x509.CertPool, [32]byte, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, [32]byte{}, fmt.Errorf("CA file %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		return nil, [32]byte{}, fmt.Errorf("CA file %s: no certificate in it", path)
	}
	return roots, sha256.Sum256(data), nil
}

func (a *OIDC) readKeys(path string) (*keyring, [32]byte, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, [32]byte{}, fmt.Errorf("key file %w", err)
	}
	ring, err := a.parseKeys(data)
	if err != nil {
		return nil, [32]byte{}, fmt.Errorf("key file %s: %w", path, err)
	}
	return ring, sha256.Sum256(data), nil
}

// readBounded reads a file of at most maxDocument bytes.
func readBounded(path string) ([]byte, error) {
	file, err := os.Open(path)
	var fault *os.PathError
	if errors.As(err, &fault) {
		return nil, fmt.Errorf("%s: %w", path, fault.Err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(data) > maxDocument {
		return nil, fmt.Errorf("%s: more than %d bytes", path, maxDocument)
	}
	return data, nil
}

// register exports when the keys were last had. The issuer is a constant label,
// so that every issuer is its own collector in the one registry, and the same
// issuer twice is an error.
func (a *OIDC) register() error {
	if a.options.Registerer == nil {
		return nil
	}
	return a.options.Registerer.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "metrics_gate_jwks_last_success_timestamp_seconds",
		Help:        "When the issuer's keys were last had, in seconds since 1970; 0 is never.",
		ConstLabels: prometheus.Labels{"issuer": a.options.Issuer},
	}, a.lastSuccess))
}

func (a *OIDC) lastSuccess() float64 {
	ring := a.keys.ring.Load()
	if ring == nil {
		return 0
	}
	return float64(ring.at.UnixMilli()) / 1000
}
