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

const recordingRules = `# Rules for metrics-gate and the runners behind it. They want two jobs: one that scrapes
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
  - alert: MetricsGateCertificateEndsSoon
    expr: metrics_gate_certificate_expiry_timestamp_seconds{role!="crl"} - time() < 14 * 86400
    for: 15m
    labels: {severity: warning}
    annotations:
      summary: 'The {{ $labels.role }} certificate of {{ $labels.instance }} ends in {{ $value | humanizeDuration }}'
      description: 'Renew it. metrics-gate check lists what ends when; a renewed file is taken over within 10 s.'
  - alert: MetricsGateCertificateEndsNow
    expr: metrics_gate_certificate_expiry_timestamp_seconds{role!="crl"} - time() < 2 * 86400
    for: 5m
    labels: {severity: critical}
    annotations:
      summary: 'The {{ $labels.role }} certificate of {{ $labels.instance }} ends in {{ $value | humanizeDuration }}'
      description: 'After its end every scrape of this runner is refused. Renew it now.'
  - alert: MetricsGateRevocationListStale
    expr: metrics_gate_certificate_expiry_timestamp_seconds{role="crl"} - time() < 6 * 3600
    for: 15m
    labels: {severity: critical}
    annotations:
      summary: 'The revocation list of {{ $labels.instance }} ends in {{ $value | humanizeDuration }}'
      description: 'With a stale list all certificates of its issuer are refused. Publish a new one.'
  - alert: MetricsGateReloadRefused
    expr: increase(metrics_gate_reloads_total{result="error"}[15m]) > 0
    labels: {severity: warning}
    annotations:
      summary: '{{ $labels.instance }} refused new {{ $labels.what }} files; the old ones stay in use'
      description: 'Its log says which file and why (reload refused). metrics-gate check tries the files without a restart.'
  - alert: MetricsGateRefusals
    expr: sum by (job, instance, result) (rate(metrics_gate_authentications_total{result!~"success|unavailable"}[10m])) > 0.05
    for: 15m
    labels: {severity: warning}
    annotations:
      summary: '{{ $labels.instance }} keeps refusing callers: {{ $labels.result }}'
      description: 'A scraper with old credentials, or somebody who tries. The log lines "authentication refused" name address and reason.'
  - alert: MetricsGateDenied
    expr: sum by (job, instance, route) (rate(metrics_gate_authorizations_denied_total[10m])) > 0
    for: 15m
    labels: {severity: warning}
    annotations:
      summary: '{{ $labels.instance }} denies {{ $labels.route }} to a known caller'
      description: 'The log lines "authorization refused" name the caller and the pattern that would let it in.'
  - alert: MetricsGateRateLimited
    expr: sum by (job, instance, limiter) (rate(metrics_gate_rate_limited_total[5m])) > 0
    for: 10m
    labels: {severity: warning}
    annotations:
      summary: '{{ $labels.instance }} answers 429 by its {{ $labels.limiter }} limiter'
      description: 'members: raise RATE_LIMIT or scrape less often. strangers: somebody fails to authenticate faster than FAILURE_RATE_LIMIT.'
  - alert: MetricsGateIssuerOutage
    expr: time() - (metrics_gate_jwks_last_success_timestamp_seconds > 0) > STALE
    for: 10m
    labels: {severity: warning}
    annotations:
      summary: '{{ $labels.instance }} has not had the keys of {{ $labels.issuer }} for {{ $value | humanizeDuration }}'
      description: 'The last keys are kept until OIDC_JWKS_MAX_AGE. metrics-gate doctor says what is wrong with the issuer.'
  - alert: MetricsGateCallersNotJudged
    expr: sum by (job, instance, method) (rate(metrics_gate_authentications_total{result="unavailable"}[5m])) > 0
    for: 5m
    labels: {severity: critical}
    annotations:
      summary: '{{ $labels.instance }} answers 503: nobody can judge {{ $labels.method }} credentials'
      description: 'The issuer or the API server cannot be reached and nothing is cached. metrics-gate doctor says which.'
`

const runnerAlerts = `- name: metrics-gate-runners
  rules:
  - alert: MetricsGateUpstreamDown
    expr: metrics_gate_upstream_up == 0 and on (job, instance) sum by (job, instance) (increase(metrics_gate_upstream_errors_total[10m])) > 0
    for: 5m
    labels: {severity: critical}
    annotations:
      summary: 'The runner behind {{ $labels.instance }} gives no metrics'
      description: 'The gate works, the runner does not answer well. metrics_gate_upstream_errors_total says why by reason.'
  - alert: MetricsGateRunnerVanished
    expr: group by (LABEL) (last_over_time(gitlab_runner_version_info[1d])) unless group by (LABEL) (gitlab_runner_version_info)
    for: 10m
    labels: {severity: critical}
    annotations:
      summary: 'Runner {{ $labels.LABEL }} was there within a day and is gone'
      description: 'Gate, runner, or target: see up and the status page of its gate. It resolves by itself a day after the runner went.'
  - alert: MetricsGateRunnerFull
    expr: LABEL:gitlab_runner_slots_used:ratio >= 1
    for: 30m
    labels: {severity: warning}
    annotations:
      summary: 'Runner {{ $labels.LABEL }} has had no free slot for half an hour'
      description: 'Raise concurrent in config.toml, or add a runner.'
`
