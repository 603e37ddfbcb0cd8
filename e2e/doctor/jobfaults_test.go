package doctor

import (
	"net"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

func limitFaults() []fault {
	limit := func(field string) func(*testing.T, *site) {
		return func(_ *testing.T, s *site) { s.fields = append(s.fields, field) }
	}
	return []fault{
		{"`body size limit exceeded`", "the exposition is larger than body_size_limit",
			"raise body_size_limit in the job",
			"body-limit", limit("body_size_limit: 1KB"), nil},
		{"`sample limit exceeded`", "the exposition has more samples than sample_limit",
			"raise sample_limit in the job",
			"sample-limit", limit("sample_limit: 3"), nil},
		{"`label_limit exceeded`", "a series has more labels than label_limit", "raise label_limit in the job",
			"label-limit", limit("label_limit: 3"), nil},
		{"`label_value_length_limit exceeded`", "a label's value is longer than label_value_length_limit",
			"raise label_value_length_limit in the job", "value-limit", limit("label_value_length_limit: 22"), nil},
		{"`label_name_length_limit exceeded`", "a label's name is longer than label_name_length_limit",
			"raise label_name_length_limit in the job", "name-limit", limit("label_name_length_limit: 9"), nil},
	}
}

func jobFaults() []fault {
	return []fault{
		{"no target at all", "no job has a target for this gate",
			"add the jobs that metrics-gate print scrape-config writes", "no-job",
			func(_ *testing.T, s *site) { s.paths = nil }, nil},
		{"the target is among the dropped ones", "relabel_configs drop the target of this gate",
			"correct the actions keep and drop in relabel_configs of the job", "relabelled",
			func(_ *testing.T, s *site) {
				s.fields = append(s.fields, "relabel_configs: [{source_labels: [job], regex: other, action: keep}]")
			}, nil},
		{"the target has another port", "targets of this host exist, but none on the gate's port",
			"correct the port in the job", "wrong-port", func(t *testing.T, s *site) {
				_, port, _ := net.SplitHostPort(harness.FreeAddress(t))
				s.target = net.JoinHostPort(s.host, port)
			}, nil},
		{"`server returned HTTP status 404`", "the job asks for a path that the gate does not have",
			"set metrics_path to /metrics (the runner) or /gate/metrics (the gate)", "wrong-path",
			func(_ *testing.T, s *site) { s.paths[0] = "/metric" }, nil},
		{"the target is up, and `gitlab_runner_*` are missing", "no job asks /metrics of this gate",
			"add a job with metrics_path: /metrics", "own-only",
			func(_ *testing.T, s *site) { s.paths = s.paths[1:] }, nil},
		{"no alert of the gate ever fires", "no job asks /gate/metrics of this gate",
			"add a job with metrics_path: /gate/metrics", "runner-only",
			func(_ *testing.T, s *site) { s.paths = s.paths[:1] }, nil},
		{"the target is up, and has no series", "metric_relabel_configs drop every sample of the scrape",
			"correct metric_relabel_configs in the job", "dropped-samples",
			func(_ *testing.T, s *site) {
				s.fields = append(s.fields,
					"metric_relabel_configs: [{source_labels: [runner_name], regex: .+, action: drop}]")
			}, nil},
		{"`expected a valid start token`, or `unsupported Content-Type`", "what answers there is not a gate",
			"let the job ask the gate itself: correct the port and metrics_path", "not-a-gate", otherProgram, nil},
	}
}

func labelFaults() []fault {
	return []fault{
		{"a second, dead target on port 9252", "a dead target on the runner's own port",
			"in Kubernetes keep only the port named metrics-gate", "dead-target", func(t *testing.T, s *site) {
				s.upstream = harness.StartRunner(t, harness.Replay(t)).Address
				_, port, _ := net.SplitHostPort(s.upstream)
				s.more = "- job_name: " + s.name + "-runner\n  static_configs: [{targets: ['" +
					net.JoinHostPort(s.host, port) + "']}]\n"
			}, nil},
		{"series have `exported_exported_runner_name`",
			"runner_name is also a target label, so Prometheus renames the gate's label",
			"remove runner_name from the target's labels", "target-label", func(_ *testing.T, s *site) {
				s.labels = "runner_name: here"
			}, nil},
		{"`up` alternates between 0 and 1", "targets with the same labels write one series up, and hide each other",
			"give each endpoint a label of its own", "collision", func(_ *testing.T, s *site) {
				s.fields = append(s.fields, "relabel_configs: [{target_label: job, replacement: collision}]")
			}, nil},
		{"`Error on ingesting samples with different value but same timestamp` in the log",
			"several samples of a scrape have the same labels",
			"set LABEL_CONFLICT=exported, and remove what makes series equal", "duplicates",
			func(_ *testing.T, s *site) {
				s.fields = append(s.fields, "metric_relabel_configs: [{regex: 'le|state|runner', action: labeldrop}]")
			}, nil},
		{"series of two runners are mixed", "comes from more than one instance",
			"set RUNNER_NAME of each gate to a name of its own", "same-name", func(t *testing.T, s *site) {
				twin := newSite(t, s.name, 250)
				twin.start(t)
				twin.name += "-twin" // of its jobs
				s.more = twin.jobs()
			}, nil},
	}
}
