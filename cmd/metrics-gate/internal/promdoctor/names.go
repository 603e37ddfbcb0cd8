package promdoctor

import (
	"context"
	"slices"
)

// sharedName finds other instances with the runner's name of this gate: two gates with one
// RUNNER_NAME cannot be told apart.
func (e *examination) sharedName(ctx context.Context) {
	if e.gate.RunnerName == "" {
		return
	}
	own := map[string]string{e.gate.LabelName: e.gate.RunnerName}
	named := e.query(ctx, "group by (instance) ("+selector(own, `__name__="gitlab_runner_version_info"`)+")")
	if len(named.Result) < 2 {
		return
	}
	var instances []string
	for _, r := range named.Result {
		instances = append(instances, r.Metric["instance"])
	}
	slices.Sort(instances)
	e.warn("set RUNNER_NAME of each gate to a name of its own, unless these are addresses of one gate",
		"%s=%q comes from more than one instance: %s", e.gate.LabelName, e.gate.RunnerName, some(instances))
}
