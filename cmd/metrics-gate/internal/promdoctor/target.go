package promdoctor

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// noTarget says why there is no target for the gate.
func (e *examination) noTarget(ctx context.Context, list targets) {
	for _, t := range list.Dropped {
		if e.gate.hasAddress(t.DiscoveredLabels["__address__"]) {
			e.fail("correct the actions keep and drop in relabel_configs of the job",
				"relabel_configs drop the target of this gate (job %q)", t.DiscoveredLabels["job"])
			return
		}
	}
	var status struct {
		YAML string `json:"yaml"`
	}
	if e.api.get(ctx, "status/config", nil, &status) == nil && e.configured(status.YAML) {
		e.fail("read Prometheus' log; let it read every file that tls_config of the job names",
			"a job names this gate, and Prometheus creates no target for it: it cannot use a file of the job")
		return
	}
	if others := e.elsewhere(list.Active); len(others) > 0 {
		e.fail("correct the port in the job, or add the jobs that metrics-gate print scrape-config writes",
			"targets of this host exist, but none on the gate's port %s: %s", e.gate.Port, some(others))
		return
	}
	known := "port " + e.gate.Port
	if e.gate.RunnerName != "" {
		known += fmt.Sprintf(", %s=%q", e.gate.LabelName, e.gate.RunnerName)
	}
	e.fail("add the jobs that metrics-gate print scrape-config writes; with a PodMonitor see that selector and "+
		"port name match", "no job has a target for this gate (%s) among %d targets", known, len(list.Active))
}

// elsewhere returns the URLs of targets on the gate's host that have neither the gate's
// port nor the runner's.
func (e *examination) elsewhere(active []target) []string {
	var urls []string
	for _, t := range active {
		host, port := hostPort(t.ScrapeURL)
		if e.gate.hasHost(host) && port != e.gate.Port && port != e.gate.RunnerPort {
			urls = append(urls, t.ScrapeURL)
		}
	}
	return urls
}

// some lists the first three of list, and says how many there are.
func some(list []string) string {
	const most = 3
	if len(list) <= most {
		return strings.Join(list, " ")
	}
	return fmt.Sprintf("%s … (%d)", strings.Join(list[:most], " "), len(list))
}

// configured reports whether the configuration of Prometheus names the gate's address.
func (e *examination) configured(yaml string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(yaml, func(r rune) bool {
		return strings.ContainsRune(" \n\"'[],", r)
	}), e.gate.hasAddress)
}

// paths says which of the gate's two paths no job asks. A target with another path has a
// finding of its own.
func (e *examination) paths(own []target) {
	var asked []string
	for _, t := range own {
		asked = append(asked, path(t.ScrapeURL))
	}
	known := func(p string) bool { return p == runnerPath || p == gatePath }
	if len(own) == 0 || slices.ContainsFunc(asked, func(p string) bool { return !known(p) }) {
		return
	}
	if !slices.Contains(asked, runnerPath) {
		e.fail("add a job with metrics_path: /metrics, as metrics-gate print scrape-config writes it",
			"no job asks /metrics of this gate, so gitlab_runner_* are missing")
	}
	if !slices.Contains(asked, gatePath) {
		e.warn("add a job with metrics_path: /gate/metrics, as metrics-gate print scrape-config writes it",
			"no job asks /gate/metrics of this gate, so its alerts cannot fire")
	}
}

// labelKey is the label set in one string.
func labelKey(labels map[string]string) string {
	text, err := json.Marshal(labels) // sorts the keys
	if err != nil {
		return ""
	}
	return string(text)
}

// collisions finds targets with the same labels as one of own, and returns these sets by labelKey.
func (e *examination) collisions(active, own []target) map[string]bool {
	collided := map[string]bool{}
	for _, o := range own {
		key := labelKey(o.Labels)
		if collided[key] {
			continue
		}
		var urls []string
		for _, t := range active {
			if labelKey(t.Labels) == key {
				urls = append(urls, t.ScrapeURL)
			}
		}
		if len(urls) > 1 {
			collided[key] = true
			e.fail("give each endpoint a label of its own: another job, or metrics_path as a target label",
				"targets with the same labels write one series up, and hide each other: %s", some(urls))
		}
	}
	return collided
}

// target judges one target of the gate.
func (e *examination) target(ctx context.Context, t target, collided map[string]bool) {
	name := fmt.Sprintf("job %q %s", t.ScrapePool, t.ScrapeURL)
	if value, set := t.Labels[e.gate.LabelName]; set {
		e.warn("remove "+e.gate.LabelName+" from the target's labels (labels, relabel_configs)",
			"%s: %s is also a target label, so Prometheus renames the gate's label exported_%s (%q)", name,
			e.gate.LabelName, e.gate.LabelName, value)
	}
	switch t.Health {
	case "up":
		if e.duration(t, name) {
			e.stored(ctx, t, name, collided)
		}
	case "down":
		from := t.ScrapeURL
		if e.gate.Plain {
			from = "plain " + from // no row about http:// and TLS
		}
		why := explain(&e.gate, from, t.LastError)
		e.fail(why.advice, "%s: %s (%s)", name, why.cause, t.LastError)
	default:
		e.warn("ask again after one scrape_interval ("+t.ScrapeInterval+")", "%s: not scraped yet", name)
	}
}

// duration compares a scrape with its timeout. It returns false when the scrape was slow.
func (e *examination) duration(t target, name string) bool {
	took := time.Duration(t.LastScrapeDuration * float64(time.Second)).Round(time.Millisecond)
	limit, err := time.ParseDuration(t.ScrapeTimeout)
	if err == nil && took > limit/2 {
		e.warn("relieve the runner, or raise scrape_timeout in the job and UPSTREAM_TIMEOUT at the gate",
			"%s: the scrape takes more than half of scrape_timeout (%s of %s)", name, took, limit)
		return false
	}
	e.ok("%s: up, takes %s of %s", name, took, t.ScrapeTimeout)
	return true
}

// stored compares what a scrape brought with what is stored.
func (e *examination) stored(ctx context.Context, t target, name string, collided map[string]bool) {
	const relabelled = "correct metric_relabel_configs in the job"
	kept, known := e.number(ctx, selector(t.Labels, `__name__="scrape_samples_post_metric_relabeling"`))
	if !known {
		return
	}
	if scraped, _ := e.number(ctx, selector(t.Labels, `__name__="scrape_samples_scraped"`)); kept == 0 && scraped > 0 {
		e.fail(relabelled, "%s: metric_relabel_configs drop every sample of the scrape", name)
		return
	}
	if path(t.ScrapeURL) == runnerPath {
		n, _ := e.number(ctx, "count("+selector(t.Labels, `__name__=~"gitlab_runner_.+"`)+")")
		if n == 0 && !e.blind {
			e.fail(relabelled+", and see that the gate's UPSTREAM_URL is a runner",
				"%s: the scrape brings no series gitlab_runner_*", name)
			return
		}
	}
	if _, renamed := t.Labels[e.gate.LabelName]; renamed || collided[labelKey(t.Labels)] {
		return
	}
	distinct, known := e.number(ctx, "count("+selector(t.Labels, `__name__!~"up|scrape_.*|ALERTS.*|.*:.*"`)+")")
	if known && kept > distinct {
		e.warn("set LABEL_CONFLICT=exported, and remove what makes series equal from metric_relabel_configs",
			"%s: several samples of a scrape have the same labels, and Prometheus keeps one of each (%v of %v)", name,
			distinct, kept)
	}
}

// number returns the value of a query with one result.
func (e *examination) number(ctx context.Context, expression string) (value float64, known bool) {
	v := e.query(ctx, expression)
	if len(v.Result) != 1 {
		return 0, false
	}
	value, err := strconv.ParseFloat(fmt.Sprint(v.Result[0].Value[1]), 64)
	return value, err == nil
}

// runnerTargets finds targets on the runner's own port, beyond the gate.
func (e *examination) runnerTargets(active, own []target) {
	if e.gate.RunnerPort == e.gate.Port {
		return
	}
	for _, t := range e.gate.onHost(active, own, e.gate.RunnerPort) {
		if t.Health == "up" {
			e.warn("remove the target, and let the runner listen on 127.0.0.1 alone",
				"job %q %s: Prometheus scrapes the runner's own port, without the gate", t.ScrapePool, t.ScrapeURL)
			continue
		}
		e.warn("remove the target; in Kubernetes keep only the port named metrics-gate",
			"job %q %s: a dead target on the runner's own port, which only the gate can reach", t.ScrapePool,
			t.ScrapeURL)
	}
}
