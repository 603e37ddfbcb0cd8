package check

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gate"
	"github.com/metrics-gate/metrics-gate/proxy/profile"
)

// question is what check is asked to explain: would a caller of these names get path?
type question struct {
	names []string // identity patterns, all of one caller
	path  string
}

func (q *question) addName(name string) error {
	q.names = append(q.names, name)
	return nil
}

func (q *question) given() bool { return len(q.names) > 0 }

func (q *question) validate() error {
	if !q.given() {
		if q.path == "" {
			return nil
		}
		return &cli.ConfigError{Thing: "check --path", Value: q.path, Wrong: "says what, but not who",
			Advice: "add --as, for example --as dns:prometheus.example.com"}
	}
	q.path = cmp.Or(q.path, "/metrics")
	if !strings.HasPrefix(q.path, "/") {
		return &cli.ConfigError{Thing: "check --path", Value: q.path, Wrong: "does not begin with /",
			Advice: "write the path as it is asked for, for example /debug/pprof/heap"}
	}
	for _, name := range q.names {
		if _, err := auth.ParsePolicy(name); err != nil || strings.Contains(name, ",") {
			return &cli.ConfigError{Thing: "check --as", Value: name, Wrong: "not one identity",
				Advice: "write one name of the caller, for example dns:prometheus.example.com; give --as again for a " +
					"further name or a group"}
		}
		if strings.Contains(name, "*") {
			return &cli.ConfigError{Thing: "check --as", Value: name, Wrong: "a pattern with a * is nobody",
				Advice: "write a whole name, as a certificate or token bears it"}
		}
	}
	return nil
}

// decisionReport is the answer to a question, and which rule decided.
type decisionReport struct {
	As     []string `json:"as"`
	Path   string   `json:"path"`
	Status int      `json:"status"`
	Rule   string   `json:"rule,omitempty"`     // the pattern that let the caller pass
	List   string   `json:"variable,omitempty"` // the allow list that was asked
	Why    string   `json:"why"`
	Do     string   `json:"advice,omitempty"`
}

// refused tells whether a question was asked and the answer is not 200.
func (d *decisionReport) refused() bool { return d != nil && d.Status != http.StatusOK }

// String is the question with the answer.
func (d *decisionReport) String() string {
	return fmt.Sprintf("GET %s as %s: %d %s", cli.Printable(d.Path), strings.Join(d.As, " "), d.Status,
		http.StatusText(d.Status))
}

func (d *decisionReport) print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s\n  %s\n", d, d.Why)
	if d.Do != "" {
		_, err = fmt.Fprintf(w, "  %s\n", d.Do)
	}
	return err
}

// decide sends the question down the gate's own walk, with ends that answer 200
// instead of asking the runner, so that the explanation is the behaviour.
func decide(c *config.Config, q question) *decisionReport {
	d := &decisionReport{As: q.names, Path: q.path}
	id, off, do := identityOf(c, q.names)
	if off != "" {
		d.Status, d.Why, d.Do = http.StatusUnauthorized, off, do
		return d
	}
	target, err := url.ParseRequestURI(q.path)
	if err != nil {
		d.Status, d.Why = http.StatusBadRequest, "the target is not literal: nothing of it reaches the runner"
		return d
	}
	w := &statusRecorder{header: http.Header{}}
	gate.DryRun(c, id).ServeHTTP(w, &http.Request{
		Method: http.MethodGet, URL: target, RequestURI: q.path, Host: "localhost", RemoteAddr: "127.0.0.1:1",
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody,
	})
	d.Status = w.status
	because(c, d, id)
	return d
}

// because says which rule gave d its status.
func because(c *config.Config, d *decisionReport, id auth.Identity) {
	list, policy := config.Prefix+"METRICS_ALLOW", c.Allow.Metrics
	if strings.HasPrefix(d.Path, "/debug/") {
		list, policy = config.Prefix+"PPROF_ALLOW", c.Allow.Pprof
	}
	switch d.Status {
	case http.StatusOK:
		d.List, d.Rule = list, first(policy.Allows(id))
		d.Why = fmt.Sprintf("%s has %s", list, d.Rule)
		if c.Kubernetes.Authz {
			d.Do = fmt.Sprintf("then the API server is asked whether %s may get %s, which check does not do", id.User,
				d.Path)
		}
	case http.StatusForbidden:
		d.List = list
		d.Why = fmt.Sprintf("%s (%s) has no pattern for this caller", list, cmp.Or(policy.String(), "nobody"))
		d.Do = "to allow it, add " + d.As[0] + " to " + list
	case http.StatusNotFound:
		d.Why = "no such route: only /metrics, /gate/metrics and " + profileRoutes(c) + " are"
	case http.StatusBadRequest:
		d.Why = "the target is not literal: nothing of it reaches the runner"
	default:
		d.Why = "refused by the walk"
	}
}

func first(rule string, _ bool) string { return rule }

func profileRoutes(c *config.Config) string {
	names := slices.Clone(profile.Names(c.Upstream.Cmdline))
	slices.Sort(names)
	return "/debug/pprof/{" + strings.Join(names, ",") + "}"
}
