package manifest

import (
	"strconv"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// Rules are the recording and alerting rules for gates configured like this one.
// deploy/monitoring/rules.yaml is what the defaults print. LABEL stands for the
// injected label, STALE for the seconds after which an issuer's keys are worrying.
func Rules(c *config.Config) string {
	return strings.NewReplacer("LABEL", c.Label.Name, "STALE", strconv.Itoa(int(staleKeys(c).Seconds()))).Replace(recordingRules + gateAlerts + runnerAlerts)
}

// staleKeys is well before the age at which keys stop counting.
func staleKeys(c *config.Config) time.Duration {
	stale := 3 * time.Hour
	for i := range c.OIDC {
		stale = min(stale, c.OIDC[i].MaxAge/2)
	}
	return stale
}

const recordingRules = `# Rules for metrics-gate and the runners behind it. They need two jobs: one that scrapes
# /metrics (the runner) and one that scrapes /gate/metrics (the gate itself).
groups:
- name: metrics-gate-records
  rules:
  - record: instance_code:metrics_gate_requests:rate5m
    expr: sum by (job, instance, code) (rate(metrics_gate_requests_total[5m]))
  - record: instance_result:metrics_gate_authentications:rate5m
    expr: sum by (job, instance, result) (rate(metrics_gate_authentications_total[5m]))
  - record: instance:metrics_gate_upstream_errors:rate5m
    expr: sum by (job, instance) (rate(metrics_gate_upstream_errors_total[5m]))
  - record: instance:metrics_gate_upstream_duration_seconds:p99_5m
    expr: histogram_quantile(0.99, sum by (job, instance, le) (rate(metrics_gate_upstream_duration_seconds_bucket[5m])))
  - record: LABEL:gitlab_runner_jobs:sum
    expr: sum by (LABEL) (gitlab_runner_jobs)
  - record: LABEL:gitlab_runner_slots_used:ratio
    expr: sum by (LABEL) (gitlab_runner_jobs) / sum by (LABEL) (gitlab_runner_concurrent)
`

const gateAlerts = `- name: metrics-gate
  rules:
  - alert: MetricsGateCertificateExpiresSoon
    expr: metrics_gate_certificate_expiry_timestamp_seconds{role!="crl"} - time() < 14 * 86400
    for: 15m
    labels: {severity: warning}
    annotations:
      summary: >-
        Runner {{ $labels.LABEL }}: the {{ $labels.role }} certificate of gate {{ $labels.instance }} expires in
        {{ $value | humanizeDuration }}
      description: >-
        Renew it. metrics-gate check lists what expires when. The gate loads a renewed file within 10 s.
      runbook_url: https://github.com/metrics-gate/metrics-gate/blob/main/docs/operations.md#rotation
      dashboard_url: '/d/metrics-gate?var-instance={{ $labels.instance }}'
  - alert: MetricsGateCertificateExpiresNow
    expr: metrics_gate_certificate_expiry_timestamp_seconds{role!="crl"} - time() < 2 * 86400
    for: 5m
    labels: {severity: critical}
    annotations:
      summary: >-
        Runner {{ $labels.LABEL }}: the {{ $labels.role }} certificate of gate {{ $labels.instance }} expires in
        {{ $value | humanizeDuration }}
      description: >-
        After that every scrape of this runner fails. Renew it now.
      runbook_url: https://github.com/metrics-gate/metrics-gate/blob/main/docs/operations.md#rotation
      dashboard_url: '/d/metrics-gate?var-instance={{ $labels.instance }}'
  - alert: MetricsGateRevocationListExpiresSoon
    expr: metrics_gate_certificate_expiry_timestamp_seconds{role="crl"} - time() < 6 * 3600
    for: 15m
    labels: {severity: critical}
    annotations:
      summary: >-
        Runner {{ $labels.LABEL }}: the revocation list of gate {{ $labels.instance }} expires in
        {{ $value | humanizeDuration }}
      description: >-
        With a stale list the gate refuses all certificates of its issuer. Publish a new one.
      runbook_url: https://github.com/metrics-gate/metrics-gate/blob/main/docs/operations.md#rotation
      dashboard_url: '/d/metrics-gate?var-instance={{ $labels.instance }}'
  - alert: MetricsGateReloadRefused
    expr: increase(metrics_gate_reloads_total{result="error"}[15m]) > 0
    labels: {severity: warning}
    annotations:
      summary: >-
        Runner {{ $labels.LABEL }}: gate {{ $labels.instance }} refused new {{ $labels.what }} files and keeps
        the old ones
      description: >-
        Its log says which file and why (reload refused). metrics-gate check reads the files without a restart.
      runbook_url: https://github.com/metrics-gate/metrics-gate/blob/main/docs/operations.md#rotation
      dashboard_url: '/d/metrics-gate?var-instance={{ $labels.instance }}'
  - alert: MetricsGateAuthenticationRefused
    expr: >-
      sum by (job, instance, LABEL, result)
      (rate(metrics_gate_authentications_total{result!~"success|unavailable"}[10m])) > 0.05
    for: 15m
    labels: {severity: warning}
    annotations:
      summary: >-
        Runner {{ $labels.LABEL }}: gate {{ $labels.instance }} keeps refusing callers with 401 ({{
        $labels.result }})
      description: >-
        A scraper has old credentials, or somebody guesses. The log lines "authentication refused" have address
        and reason.
      runbook_url: https://github.com/metrics-gate/metrics-gate/blob/main/docs/operations.md#the-log
      dashboard_url: '/d/metrics-gate?var-instance={{ $labels.instance }}'
  - alert: MetricsGateAuthorizationDenied
    expr: sum by (job, instance, LABEL, route) (rate(metrics_gate_authorizations_denied_total[10m])) > 0
    for: 15m
    labels: {severity: warning}
    annotations:
      summary: >-
        Runner {{ $labels.LABEL }}: gate {{ $labels.instance }} denies {{ $labels.route }} to an authenticated
        caller
      description: >-
        The log lines "authorization refused" have the identity and the pattern that would allow it.
      runbook_url: https://github.com/metrics-gate/metrics-gate/blob/main/docs/operations.md#the-log
      dashboard_url: '/d/metrics-gate?var-instance={{ $labels.instance }}'
  - alert: MetricsGateRateLimited
    expr: sum by (job, instance, LABEL, limiter) (rate(metrics_gate_rate_limited_total[5m])) > 0
    for: 10m
    labels: {severity: warning}
    annotations:
      summary: >-
        Runner {{ $labels.LABEL }}: the {{ $labels.limiter }} limiter of gate {{ $labels.instance }} answers 429
      description: >-
        identity: scrape less often or raise RATE_LIMIT. failures: an address fails to authenticate faster than
        FAILURE_RATE_LIMIT.
      runbook_url: https://github.com/metrics-gate/metrics-gate/blob/main/docs/operations.md#the-log
      dashboard_url: '/d/metrics-gate?var-instance={{ $labels.instance }}'
  - alert: MetricsGateIssuerUnreachable
    expr: time() - (metrics_gate_jwks_last_success_timestamp_seconds > 0) > STALE
    for: 10m
    labels: {severity: warning}
    annotations:
      summary: >-
        Runner {{ $labels.LABEL }}: gate {{ $labels.instance }} fetched the keys of {{ $labels.issuer }}
        {{ $value | humanizeDuration }} ago
      description: >-
        The last keys count until OIDC_JWKS_MAX_AGE. metrics-gate doctor says what is wrong with the issuer.
      runbook_url: https://github.com/metrics-gate/metrics-gate/blob/main/docs/troubleshooting.md
      dashboard_url: '/d/metrics-gate?var-instance={{ $labels.instance }}'
  - alert: MetricsGateAuthenticationUnavailable
    expr: >-
      sum by (job, instance, LABEL, method)
      (rate(metrics_gate_authentications_total{result="unavailable"}[5m])) > 0
    for: 5m
    labels: {severity: critical}
    annotations:
      summary: >-
        Runner {{ $labels.LABEL }}: gate {{ $labels.instance }} cannot verify {{ $labels.method }} credentials
        and answers 503
      description: >-
        The issuer or the API server is unreachable and no answer is cached. metrics-gate doctor says which.
      runbook_url: https://github.com/metrics-gate/metrics-gate/blob/main/docs/troubleshooting.md
      dashboard_url: '/d/metrics-gate?var-instance={{ $labels.instance }}'
`

const runnerAlerts = `- name: metrics-gate-runners
  rules:
  - alert: MetricsGateRunnerDown
    expr: >-
      metrics_gate_upstream_up == 0 and on (job, instance) sum by (job, instance)
      (increase(metrics_gate_upstream_errors_total[10m])) > 0
    for: 5m
    labels: {severity: critical}
    annotations:
      summary: >-
        Runner {{ $labels.LABEL }}: it gives gate {{ $labels.instance }} no metrics
      description: >-
        The gate works, the runner does not answer. metrics_gate_upstream_errors_total has the reason,
        metrics-gate doctor the cure.
      runbook_url: https://github.com/metrics-gate/metrics-gate/blob/main/docs/troubleshooting.md
      dashboard_url: '/d/metrics-gate?var-instance={{ $labels.instance }}'
  - alert: MetricsGateRunnerAbsent
    expr: >-
      group by (LABEL) (last_over_time(gitlab_runner_version_info[1d])) unless group by (LABEL)
      (gitlab_runner_version_info)
    for: 10m
    labels: {severity: critical}
    annotations:
      summary: >-
        Runner {{ $labels.LABEL }}: no metrics any more, after some within the last day
      description: >-
        The gate, the runner or its target is gone: see up, and the status page of its gate. The alert ends by
        itself a day after the runner's last scrape.
      runbook_url: https://github.com/metrics-gate/metrics-gate/blob/main/docs/troubleshooting.md
      dashboard_url: '/d/metrics-gate?var-runner_name={{ $labels.LABEL }}'
  - alert: MetricsGateRunnerFull
    expr: LABEL:gitlab_runner_slots_used:ratio >= 1
    for: 30m
    labels: {severity: warning}
    annotations:
      summary: >-
        Runner {{ $labels.LABEL }}: no free slot for half an hour
      description: >-
        Raise concurrent in config.toml, or add a runner.
      runbook_url: https://github.com/metrics-gate/metrics-gate/blob/main/docs/operations.md#alerts-and-the-dashboard
      dashboard_url: '/d/metrics-gate?var-runner_name={{ $labels.LABEL }}'
`
