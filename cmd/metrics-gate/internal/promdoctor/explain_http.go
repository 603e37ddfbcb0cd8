package promdoctor

// statusErrors are answers that depend on who asks: 401, 403 and 429.
func statusErrors(g *Gate) []explanation {
	return []explanation{
		{`HTTP status 401`, "the gate gets no credential of Prometheus that it accepts",
			"correct credentials_file or cert_file in the job; no gate takes basic_auth: write in its place " +
				g.lines() + "; renew the gate's revocation list if it is stale; the gate logs the reason as " +
				"authentication refused"},
		{`HTTP status 403`, "the gate authenticates Prometheus, and METRICS_ALLOW does not list it",
			"add the pattern that the gate's log names to METRICS_ALLOW"},
		{`HTTP status 429`, "Prometheus asks more often than the gate's limits allow",
			"raise RATE_LIMIT and RATE_BURST (an identity) or FAILURE_RATE_LIMIT (failures of an address)"},
	}
}

// refusalErrors are all other answers.
func refusalErrors() []explanation {
	return []explanation{
		{`HTTP status (404|400|405)`, "the job asks for a path that the gate does not have",
			"set metrics_path to /metrics (the runner) or /gate/metrics (the gate), without params"},
		{`HTTP status 30[0-9]|stopped after \d+ redirects`, "what listens there redirects: it is not a gate",
			"correct the address of the target, or what stands between Prometheus and the gate"},
		{`HTTP status 502`, "the gate gets no valid exposition from the runner",
			"start the runner, and read the reason in the gate's log or metrics_gate_upstream_errors_total"},
		{`HTTP status 504`, "the runner does not answer in time",
			"relieve the runner, or raise scrape_timeout and UPSTREAM_TIMEOUT"},
		{`HTTP status 503`, "the gate is too busy, or cannot ask the issuer or API server",
			"see that the issuer answers (authentication unavailable in the gate's log), or raise MAX_IN_FLIGHT"},
		{`HTTP status 417|HTTP status 413|HTTP status 5\d\d`, "what answers there is not a gate, or fails",
			"read the gate's log at the time of the scrape, and correct the address of the target"},
	}
}

// limitErrors are limits of Prometheus.
func limitErrors() []explanation {
	return []explanation{
		{`body size limit exceeded`, "the exposition is larger than body_size_limit",
			"raise body_size_limit in the job"},
		{`target_limit exceeded`, "the job has more targets than target_limit", "raise target_limit in the job"},
		{`label_limit exceeded`, "a series has more labels than label_limit",
			"raise label_limit in the job: the gate adds one label, and those of LABELS"},
		{`label_name_length_limit exceeded`, "a label's name is longer than label_name_length_limit",
			"raise label_name_length_limit in the job"},
		{`label_value_length_limit exceeded`, "a label's value is longer than label_value_length_limit",
			"raise label_value_length_limit in the job"},
		{`histogram bucket limit exceeded`, "a native histogram has more buckets than native_histogram_bucket_limit",
			"raise native_histogram_bucket_limit in the job"},
		{`sample limit exceeded`, "the exposition has more samples than sample_limit", "raise sample_limit in the job"},
	}
}

// formatErrors are of what Prometheus cannot parse. A gate answers 502 instead.
func formatErrors() []explanation {
	const proxy = "let the job ask the gate itself: correct the port and metrics_path"
	return []explanation{
		{`(unsupported|blank|parse|parse received) Content-Type`,
			"what answers there is not a gate: it sends an unknown content type", proxy},
		{`duplicate sample for timestamp|different value but same timestamp`,
			"several samples of a scrape have the same labels",
			"set LABEL_CONFLICT=exported, and no label in metric_relabel_configs that makes series equal"},
		{`invalid metric name or label names`, "metric_relabel_configs makes an invalid name",
			"correct metric_relabel_configs in the job"},
		{`out of bounds|out of order sample`, "the samples' timestamps are too old, or not in order",
			"set the clocks right, and honor_timestamps: false if a runner sends timestamps"},
		{`unexpected EOF|does not end with # EOF`, "the answer breaks off",
			"read the gate's log: it aborts an exposition that the runner breaks off"},
		{`expected .*, got |not a valid start token|invalid UTF-8|unsupported character in float|while parsing: `,
			"what answers there is not a gate: it sends no valid exposition", proxy},
		{`expected (label|value|equal|timestamp|next entry)|invalid metric type`,
			"what answers there is not a gate: it sends no valid exposition", proxy},
	}
}

// networkErrors are of connections that fail, or bring no answer.
func networkErrors() []explanation {
	return []explanation{
		{`connection refused`, "nothing listens at the target's address",
			"start the gate, set LISTEN_ADDRESS to an address that Prometheus reaches, or correct the port"},
		{`no such host|server misbehaving|Temporary failure in name resolution`,
			"Prometheus cannot resolve the target's host name", "correct the name in the job, or the DNS"},
		{`no route to host|network is unreachable|host is down|operation not permitted|permission denied`,
			"the network does not let Prometheus reach the gate",
			"open the gate's port for Prometheus in the firewall or NetworkPolicy"},
		{`TLS handshake timeout|i/o timeout|deadline exceeded|Client\.Timeout|request canceled`,
			"no answer comes within scrape_timeout: packets are dropped, or the host hangs",
			"open the gate's port for Prometheus in the firewall or NetworkPolicy, and see that the gate runs"},
		{`connection reset by peer|broken pipe|: EOF$`, "the connection is closed before an answer comes",
			"set cert_file if the gate requires a certificate; see the firewall and MAX_CONNECTIONS_PER_ADDRESS"},
	}
}
