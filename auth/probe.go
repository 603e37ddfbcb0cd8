package auth

import (
	"context"
	"time"
)

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

// probeToken is a bearer token that no API server knows.
const probeToken = "metrics-gate.doctor.probe"

// Probe asks the API server for a TokenReview of a token that does not exist. It returns nil
// if the API server answers it, and otherwise an error that wraps ErrUnavailable.
func (t *TokenReview) Probe() error {
	return t.api.review(tokenReviewPath, newTokenReview(probeToken, t.api.options.Audiences), new(tokenReview))
}

// Probe asks the API server for a SubjectAccessReview of a user that does not exist. It
// returns nil if the API server answers it, and otherwise an error that wraps ErrUnavailable.
func (a *AccessReview) Probe() error {
	probe := Identity{Method: MethodKubernetes, User: "metrics-gate-doctor"}
	return a.api.review(accessReviewPath, newAccessReview(probe, "/metrics"), new(accessReview))
}
