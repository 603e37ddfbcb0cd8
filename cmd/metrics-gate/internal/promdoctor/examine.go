package promdoctor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/loopback"
)

// alertPrefix begins the name of each alert of a gate.
const alertPrefix = "MetricsGate"

// examination is one look at a Prometheus.
type examination struct {
	api   api
	gate  Gate
	found []cli.Finding
	blind bool // queries fail; the finding is there
}

// Examine asks the Prometheus of o about g. It returns no finding when o has no URL.
// userAgent goes into each request.
func Examine(ctx context.Context, o Options, g Gate, userAgent string) []cli.Finding {
	if o.URL == "" {
		return nil
	}
	c, err := o.httpClient()
	if err != nil {
		found := cli.ErrorFindings(err, "correct the flag")
		found[0].What = "prometheus: " + found[0].What
		return found
	}
	e := &examination{api: api{c, strings.TrimRight(o.URL, "/"), userAgent}, gate: g}
	if u, err := url.Parse(o.URL); err == nil && (loopback.IsName(u.Hostname()) || g.hasHost(u.Hostname())) {
		e.gate.Hosts = slices.Concat(g.Hosts, g.LocalHosts)
	}
	var list targets
	if err := e.api.get(ctx, "targets", nil, &list); err != nil {
		return []cli.Finding{e.unreachable(ctx, err)}
	}
	list.hideQueries()
	own := e.gate.own(list.Active, e.named(ctx))
	if len(own) == 0 {
		e.noTarget(ctx, list)
	}
	e.paths(own)
	collided := e.collisions(list.Active, own)
	for _, t := range own {
		e.target(ctx, t, collided)
	}
	e.runnerTargets(list.Active, own)
	e.sharedName(ctx)
	e.alerts(ctx)
	return e.found
}

func (e *examination) ok(format string, args ...any) {
	e.found = append(e.found, cli.OK("prometheus: %s", fmt.Sprintf(format, args...)))
}

func (e *examination) warn(do, format string, args ...any) {
	e.found = append(e.found, cli.Warn(do, "prometheus: %s", fmt.Sprintf(format, args...)))
}

func (e *examination) fail(do, format string, args ...any) {
	e.found = append(e.found, cli.Fail(do, "prometheus: %s", fmt.Sprintf(format, args...)))
}

// unreachable says why Prometheus itself does not answer.
func (e *examination) unreachable(ctx context.Context, err error) cli.Finding {
	advice := "correct --prometheus; is the server running?"
	var status *statusError
	var unknown x509.UnknownAuthorityError
	isHTTP := errors.As(err, &status) || errors.Is(err, errNotAPI)
	who := client.AnswerOther
	if isHTTP {
		who = e.who(ctx)
	}
	switch {
	case who != client.AnswerOther:
		what, _ := who.What()
		return cli.Fail("give Prometheus' own URL", "prometheus: %s is not Prometheus: %s", e.api.base, what)
	case errors.As(err, &status) && (status.Code == 401 || status.Code == 403):
		advice = "give --prometheus-token-file, --prometheus-basic-file or --prometheus-cert and --prometheus-key"
	case client.ClosedPlain(err),
		errors.As(err, &status) && status.Code == 400 && strings.HasPrefix(e.api.base, "http:"):
		advice = "write https:// if it serves TLS"
	case errors.Is(err, http.ErrSchemeMismatch):
		advice = "write http://: the server speaks no TLS"
	case isHTTP:
		advice = "give the URL with the route prefix of Prometheus (--web.external-url), and without /api/v1"
	case errors.As(err, &unknown):
		advice = "give the CA of its certificate with --prometheus-ca"
	}
	return cli.Fail(advice, "prometheus: %s does not tell its targets: %v", e.api.base, err)
}

// who tells whether a gate or a runner answers in the place of Prometheus.
func (e *examination) who(ctx context.Context) client.Answer {
	response, body, err := client.Fetch(ctx, e.api.client, client.Request{URL: e.api.base + "/metrics",
		UserAgent: e.api.userAgent, Limit: maxAnswer})
	if err != nil {
		return client.AnswerOther
	}
	return client.WhoAnswers(response, body)
}

// named asks which targets have stored series of this runner's name.
func (e *examination) named(ctx context.Context) []series {
	if e.gate.RunnerName == "" {
		return nil
	}
	const names = `__name__=~"gitlab_runner_version_info|metrics_gate_build_info"`
	var list []series
	for _, prefix := range []string{"", "exported_"} {
		label := map[string]string{prefix + e.gate.LabelName: e.gate.RunnerName}
		v := e.query(ctx, "group by (job, instance) ("+selector(label, names)+")")
		for _, r := range v.Result {
			list = append(list, series{r.Metric["job"], r.Metric["instance"]})
		}
	}
	return list
}

// query runs an instant query. A server that cannot (an agent) gives nothing, and one finding.
func (e *examination) query(ctx context.Context, expression string) *vector {
	if e.blind {
		return &vector{}
	}
	v, err := e.api.query(ctx, expression)
	if err != nil {
		e.blind = true
		e.warn("ask the server that stores the series", "%s answers no query: %v", e.api.base, err)
		return &vector{}
	}
	return v
}

// alerts looks whether the gate's alerts are loaded, and evaluate.
func (e *examination) alerts(ctx context.Context) {
	var all rules
	if err := e.api.get(ctx, "rules", map[string][]string{"type": {"alert"}}, &all); err != nil {
		if !e.blind {
			e.warn("look at its page Status, Rules", "%s does not tell its rules: %v", e.api.base, err)
		}
		return
	}
	loaded := 0
	for _, group := range all.Groups {
		for _, r := range group.Rules {
			if !strings.HasPrefix(r.Name, alertPrefix) {
				continue
			}
			loaded++
			if r.Health == "err" {
				e.warn("load the rules that metrics-gate print alerts writes", "alert %s does not evaluate: %s", r.Name,
					r.LastError)
			}
		}
	}
	if loaded == 0 {
		e.warn("put metrics-gate print alerts into a file of rule_files and reload Prometheus",
			"none of the gate's alerts is loaded")
		return
	}
	e.ok("%d alerts of the gate are loaded", loaded)
}
