package doctor

import (
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

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
