package promdoctor

import (
	"context"
	"fmt"
	"slices"
)

// sharedNames finds runners' names that more than one instance has: two gates with one RUNNER_NAME
// cannot be told apart.
func (e *examination) sharedNames(ctx context.Context) {
	label := e.gate.LabelName
	info := selector(nil, fmt.Sprintf(`__name__="gitlab_runner_version_info",%s!=""`, label))
	shared := e.query(ctx, fmt.Sprintf("count by (%[1]s) (group by (%[1]s, instance) (%[2]s)) > 1", label, info))
	var names []string
	for _, r := range shared.Result {
		if name := r.Metric[label]; name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names[:min(len(names), 3)] {
		named := e.query(ctx, "group by (instance) ("+
			selector(map[string]string{label: name}, `__name__="gitlab_runner_version_info"`)+")")
		var instances []string
		for _, r := range named.Result {
			instances = append(instances, r.Metric["instance"])
		}
		slices.Sort(instances)
		e.warn("set RUNNER_NAME of each gate to a name of its own, unless these are addresses of one gate",
			"%s=%q comes from more than one instance: %s (%d names are shared)", label, name, some(instances), len(names))
	}
}
