package auth

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

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

// register exports when the keys were last fetched. The issuer is a constant label, so that
// every issuer has its own collector in the one registry, and the same issuer twice is an
// error.
func (a *OIDC) register() error {
	if a.options.Registerer == nil {
		return nil
	}
	return a.options.Registerer.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "metrics_gate_jwks_last_success_timestamp_seconds",
		Help:        "When the issuer's keys were last fetched, in seconds since 1970; 0 is never.",
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

// IssuerReport is what an issuer answers.
type IssuerReport struct {
	KeysURL string     // where the keys are: a URL or the path of the key file
	KeyIDs  []string   // kids of the keys that can be used; "" for a key without
	Unused  []KeyFault // keys that are for signatures and cannot be used
	// Clock is the issuer's clock minus the gate's, from the Date of its answer: within a
	// second and the time of one exchange. ClockKnown is false if there was no Date.
	Clock      time.Duration
	ClockKnown bool
}

// Probe asks the issuer for its discovery document and keys, or reads the key file, just as a
// token would make the authenticator do: with the same client, bounds and checks. It changes
// nothing. Errors are *IssuerError or *OptionError, perhaps joined.
func (a *OIDC) Probe(ctx context.Context) (IssuerReport, error) {
	if path := a.options.JWKSFile; path != "" {
		ring, _, err := a.readKeys(path)
		if err != nil {
			return IssuerReport{}, err
		}
		return IssuerReport{KeysURL: path, KeyIDs: ring.ids(), Unused: ring.unused}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	remote := a.newRemoteKeys()
	ring, err := remote.fetch(ctx)
	var report IssuerReport
	if !remote.date.IsZero() {
		report.Clock, report.ClockKnown = remote.date.Sub(a.options.Now()), true
	}
	if err != nil {
		return report, err
	}
	report.KeysURL, report.KeyIDs, report.Unused = remote.keyURLs[0], ring.ids(), ring.unused
	return report, nil
}
