package main

// family is a metric family in the shape that GitLab Runner 19.3 serves it: labels in
// alphabetical order, histogram buckets, and the runner's name on some.
type family struct {
	name, kind, help string
	perRunner        bool     // once for each [[runners]] entry: runner and system_id labels
	named            bool     // has the label runner_name, which the gate must rename
	sets             []string // further label sets, one group of samples each; none: one group
	bounds           []string // of a histogram
}

func families() []family {
	apiBounds := []string{"0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "60", "+Inf"}
	jobBounds := []string{"30", "60", "300", "600", "1800", "3600", "7200", "10800", "18000", "36000", "+Inf"}
	cacheBounds := []string{"0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"}
	return []family{
		{name: "gitlab_runner_api_request_duration_seconds", kind: "histogram", perRunner: true, bounds: apiBounds,
			help: "Latency histogram of API requests made by GitLab Runner, partitioned by runner, system_id, " +
				"endpoint and method.",
			sets: []string{`endpoint="request_job",method="post"`, `endpoint="update_job",method="put"`}},
		{name: "gitlab_runner_api_request_statuses_total", kind: "counter", perRunner: true,
			help: "The total number of API requests made by GitLab Runner, partitioned by runner, system_id, " +
				"endpoint, status and method.",
			sets: []string{`endpoint="request_job",method="post",status="201"`,
				`endpoint="request_job",method="post",status="204"`,
				`endpoint="update_job",method="put",status="200"`,
				`endpoint="patch_trace",method="patch",status="202"`}},
		{name: "gitlab_runner_cache_s3_assume_role_duration_seconds", kind: "histogram", bounds: cacheBounds,
			help: "Histogram of AssumeRole call durations in seconds."},
		{name: "gitlab_runner_concurrent", kind: "gauge", help: "The current value of concurrent setting"},
		{name: "gitlab_runner_errors_total", kind: "counter", help: "The number of caught errors.",
			sets: []string{`level="error"`, `level="fatal"`, `level="panic"`, `level="warning"`}},
		{name: "gitlab_runner_job_duration_seconds", kind: "histogram", perRunner: true, named: true, bounds: jobBounds,
			help: "Histogram of job durations"},
		{name: "gitlab_runner_jobs_total", kind: "counter", perRunner: true, named: true,
			help: "Total number of handled jobs"},
		{name: "gitlab_runner_limit", kind: "gauge", perRunner: true, named: true,
			help: "The current value of limit setting"},
		{name: "gitlab_runner_request_concurrency", kind: "gauge", perRunner: true,
			help: "The current number of concurrent requests for a new job"},
		{name: "gitlab_runner_request_concurrency_used_limit", kind: "gauge", perRunner: true,
			help: "Used limit of concurrent requests for a new job"},
		{name: "gitlab_runner_request_concurrency_hard_limit", kind: "gauge", perRunner: true,
			help: "Hard limit of concurrent requests for a new job"},
		{name: "gitlab_runner_version_info", kind: "gauge",
			help: "A metric with a constant '1' value labeled by different build stats fields.",
			sets: []string{`architecture="amd64",branch="19-3-stable",built_at="2026-08-20T12:19:18Z",` +
				`go_version="go1.25.7",name="gitlab-runner",os="linux",revision="a1b2c3d4",version="19.3.0"`}},
		{name: "gitlab_runner_worker_processing_failures_total", kind: "counter", perRunner: true, named: true,
			help: "Total number of failed worker processings, partitioned by failure type.",
			sets: []string{`failure_type="job_failure"`, `failure_type="no_free_executor"`}},
		{name: "go_gc_duration_seconds", kind: "gauge",
			help: "A summary of the wall-time pause duration in garbage collection cycles.",
			sets: []string{`phase="0"`, `phase="0.25"`, `phase="0.5"`, `phase="0.75"`, `phase="1"`}},
		{name: "go_goroutines", kind: "gauge", help: "Number of goroutines that currently exist."},
		{name: "go_memstats_alloc_bytes", kind: "gauge",
			help: "Number of bytes allocated in heap and currently in use. Equals to " +
				"/memory/classes/heap/objects:bytes."},
		{name: "go_memstats_heap_idle_bytes", kind: "gauge", help: "Number of heap bytes waiting to be used."},
		{name: "go_memstats_last_gc_time_seconds", kind: "gauge",
			help: "Number of seconds since 1970 of last garbage collection."},
		{name: "process_cpu_seconds_total", kind: "counter", help: "Total user and system CPU time spent in seconds."},
		{name: "process_open_fds", kind: "gauge", help: "Number of open file descriptors."},
		{name: "process_resident_memory_bytes", kind: "gauge", help: "Resident memory size in bytes."},
		{name: "process_start_time_seconds", kind: "gauge",
			help: "Start time of the process since unix epoch in seconds."},
	}
}

// samples returns the number of samples for one runner, or the total if f is not per runner.
func (f family) samples() int {
	each := 1
	if f.kind == "histogram" {
		each = len(f.bounds) + 2
	}
	return each * max(1, len(f.sets))
}
