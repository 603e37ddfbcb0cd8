package doctor

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gate"
)

// apiServer asks the Kubernetes API server for the reviews that are on, about a token
// and a user that do not exist: only whether it answers is of interest.
func (d *doctor) apiServer() []cli.Finding {
	if d.config.Kubernetes.Auth == "off" && d.config.Kubernetes.Authz == "off" {
		return nil
	}
	everybody := func(*http.Request) bool { return true }
	authenticators, authorizers, err := gate.Reviews(d.config, everybody, slog.New(slog.DiscardHandler))
	if err != nil {
		return []cli.Finding{cli.Fail("see "+config.Prefix+"KUBERNETES_API_URL, _CA_FILE and _TOKEN_FILE", "API server: %v", err)}
	}
	request := &http.Request{
		Method: http.MethodGet, URL: &url.URL{Path: "/metrics"}, RequestURI: "/metrics", RemoteAddr: "127.0.0.1:1",
		Header: http.Header{"Authorization": {"Bearer metrics-gate.doctor.probe"}},
	}
	var found []cli.Finding
	for _, a := range authenticators {
		_, err := a.Authenticate(request)
		found = append(found, review("TokenReview", err))
	}
	for _, ask := range authorizers {
		err := ask(request, auth.Identity{Method: auth.MethodKubernetes, Subject: "user:metrics-gate-doctor", User: "metrics-gate-doctor"})
		found = append(found, review("SubjectAccessReview", err))
	}
	return found
}

// review judges the answer: a no is one.
func review(kind string, err error) cli.Finding {
	if errors.Is(err, auth.ErrUnavailable) {
		return cli.Fail("bind the ClusterRole system:auth-delegator to the gate's service account, and see "+config.Prefix+"KUBERNETES_API_URL, _CA_FILE and _TOKEN_FILE", "API server: %s: %v", kind, err)
	}
	return cli.OK("API server: answers a %s", kind)
}
