package doctor

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// issuers asks each configured issuer for its discovery document and keys.
func (d *doctor) issuers(ctx context.Context) []cli.Finding {
	var found []cli.Finding
	for _, issuer := range d.config.Issuers() {
		found = append(found, d.issuer(ctx, issuer)...)
	}
	return found
}

// issuer asks as the gate does for a token. Options that are refused have been reported with
// the configuration.
func (d *doctor) issuer(ctx context.Context, c *config.Issuer) []cli.Finding {
	authenticator, err := auth.NewOIDC(d.config.IssuerOptions(c))
	if err != nil {
		return nil
	}
	report, err := authenticator.Probe(ctx)
	found := skew(c, report)
	if err != nil {
		return append(found, issuerFinding(c, err))
	}
	for _, key := range report.Unused {
		found = append(found, cli.Warn("the issuer must replace the key", "issuer %s: key %q is not used: %s", c.URL,
			key.KeyID, key.Reason))
	}
	return append(found, cli.OK("issuer %s: %d keys at %s", c.URL, len(report.KeyIDs),
		cli.HideURL(report.KeysURL)))
}

// issuerFinding says what to do about an error of a probe.
func issuerFinding(c *config.Issuer, err error) cli.Finding {
	advice := "see that the gate can reach the issuer"
	if refused, ok := errors.AsType[*auth.IssuerError](err); ok {
		advice = cmp.Or(refused.Advice, advice)
		switch {
		case refused.Issuer != "":
			advice = "set " + c.Prefix + "ISSUER_URL=" + refused.Issuer + ": both must be equal character by character"
		case refused.Status == 0:
			advice = "see DNS, firewall and " + c.Prefix +
				"CA_FILE; until the keys are fetched once, its tokens get 503"
		case refused.Status == 401 || refused.Status == 403:
			advice = "set " + c.Prefix + "DISCOVERY_TOKEN_FILE (on Kubernetes the pod's API token)"
		}
	} else if option := config.VariableErrors(c.Prefix, err); option != nil {
		err = option
	}
	return cli.Fail(advice, "issuer %s: %v", c.URL, err)
}

// skew compares the clocks.
func skew(c *config.Issuer, report auth.IssuerReport) []cli.Finding {
	if !report.ClockKnown {
		return nil
	}
	off := report.Clock.Round(time.Second)
	if off.Abs() > c.ClockSkew {
		return []cli.Finding{cli.Fail("set the clock right (NTP)",
			"clock: the issuer's is %s off, and %sCLOCK_SKEW is %s: its tokens are refused", off, c.Prefix,
			c.ClockSkew)}
	}
	if off.Abs() > c.ClockSkew/2 && off.Abs() > 2*time.Second {
		return []cli.Finding{cli.Warn("set the clock right (NTP)",
			"clock: the issuer's is %s off, of %s that are permitted", off, c.ClockSkew)}
	}
	return []cli.Finding{cli.OK("clock: within %s of %s", max(off.Abs(), time.Second), c.URL)}
}

// apiServer asks the Kubernetes API server for the reviews that are on, about a token
// and a user that do not exist: only whether it answers is of interest.
func (d *doctor) apiServer() []cli.Finding {
	if d.gate == nil {
		return nil
	}
	var found []cli.Finding
	if d.gate.TokenReview != nil {
		found = append(found, review("TokenReview", d.gate.TokenReview.Probe()))
	}
	if d.gate.AccessReview != nil {
		found = append(found, review("SubjectAccessReview", d.gate.AccessReview.Probe()))
	}
	return found
}

// review judges the answer: a no is one.
func review(kind string, err error) cli.Finding {
	if err != nil {
		return cli.Fail("bind the ClusterRole system:auth-delegator to the gate's service account, and see "+
			config.Prefix+"KUBERNETES_API_URL, _CA_FILE and _TOKEN_FILE", "API server: %s: %v", kind, err)
	}
	return cli.OK("API server: answers a %s", kind)
}
