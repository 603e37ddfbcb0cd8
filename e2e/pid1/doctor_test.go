package pid1

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// green fails the test unless doctor said, about the settings of whose, that all is well.
func green(t *testing.T, said, whose string) {
	t.Helper()
	_, findings, found := strings.Cut(said, "settings of "+whose+"\n") // systemctl may have said something before
	if !found {
		t.Errorf("doctor does not take the settings of %s", whose)
	}
	for line := range strings.Lines(findings) {
		if !strings.HasPrefix(line, "ok ") {
			t.Errorf("doctor: %s", line)
		}
	}
	if strings.Count(findings, "\n") < 10 {
		t.Errorf("doctor: %s", said)
	}
}

// startSecondRunner runs a runner at port 9262.
func (s *site) startSecondRunner(t *testing.T) {
	t.Helper()
	s.run(t, "systemd-run --unit=runner-2 -E "+role+`=runner -E LISTEN_ADDRESS=127.0.0.1:9262 /share/stand-in
		timeout 10 bash -c 'until (: < /dev/tcp/127.0.0.1/9262) 2>/dev/null; do sleep 0.1; done'`)
}

// The document alone makes a host with two runners: doctor finds nothing to say about either
// gate, and a Prometheus on another host has the series of both runners with their names.
func TestTwoRunners(t *testing.T) {
	t.Parallel()
	s := installed(t)
	s.startSecondRunner(t)
	green(t, s.section(t, "Several runners on a host"), "unit metrics-gate@9263.service")
	green(t, s.run(t, "metrics-gate doctor --unit metrics-gate"), "unit metrics-gate.service")
	out, err := s.try("metrics-gate doctor")
	if err == nil || !strings.Contains(out, "2 gates run here") ||
		!strings.Contains(out, "unit metrics-gate@9263.service") {
		t.Errorf("doctor does not ask which: %v %s", err, out)
	}

	s.startPrometheus(t)
	for _, metric := range []string{"gitlab_runner_version_info", "metrics_gate_upstream_up"} {
		for port, runner := range map[string]string{"9253": "build-01", "9263": "build-02"} {
			query := fmt.Sprintf(`%s{instance="192.0.2.1:%s",runner_name=%q}`, metric, port, runner)
			if err := harness.Poll(30*time.Second, func() error { return s.query(query) }); err != nil {
				t.Errorf("%s: %v", query, err)
			}
		}
	}
	for unit := range strings.FieldsSeq("metrics-gate.service metrics-gate@9263.service") {
		green(t, s.run(t, "metrics-gate doctor --prometheus http://192.0.2.2:9090 --unit "+unit), "unit "+unit)
	}
}

// startPrometheus runs Debian's Prometheus on the second host, with the project's configuration
// for the two gates.
func (s *site) startPrometheus(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.Root(), "deploy", "k8s", "scrape-configs", "static-mtls.yml"))
	if err != nil {
		t.Fatal(err)
	}
	config := strings.NewReplacer("runner1.example.com:9253", "192.0.2.1:9253", "runner2.example.com:9253",
		"192.0.2.1:9263", "scrape_interval: 30s", "scrape_interval: 1s").Replace(string(text))
	rules, err := os.ReadFile(filepath.Join(harness.Root(), "deploy", "monitoring", "rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "rules.yml", string(rules), 0o644)
	s.write(t, "prometheus.yml", "global: {scrape_timeout: 1s}\nrule_files: [/share/rules.yml]\n"+config, 0o644)
	for from, to := range map[string]string{
		"ca.pem": "ca.crt", "prometheus.pem": "tls.crt", "prometheus-key.pem": "tls.key",
	} {
		content, err := os.ReadFile(s.pki.File(from))
		if err != nil {
			t.Fatal(err)
		}
		s.write(t, to, string(content), 0o600)
	}
	s.run(t, `mkdir -p /etc/prometheus/metrics-gate
		mv ca.crt tls.crt tls.key /etc/prometheus/metrics-gate/
		systemd-run --unit=scraping -p NetworkNamespacePath=/run/netns/scraper prometheus \
			--config.file=/share/prometheus.yml --storage.tsdb.path=/tmp/prometheus \
			--web.listen-address=192.0.2.2:9090`)
}

// query asks Prometheus for one sample.
func (s *site) query(expression string) error {
	out, err := s.try("curl -sS --get --data-urlencode 'query=" + expression + "' http://192.0.2.2:9090/api/v1/query")
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	var answer struct{ Data struct{ Result []any } }
	if err := json.Unmarshal([]byte(out), &answer); err != nil || len(answer.Data.Result) != 1 {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// Doctor sees the service as it is: its credentials, its user, what changed since its start, and a
// firewall that is not there or refuses the gate.
func TestDoctorSeesTheService(t *testing.T) {
	t.Parallel()
	s := installed(t)
	s.section(t, "Keys that only root may read")
	for _, step := range []struct{ name, script, want string }{
		{"another user", "runuser -u nobody -- metrics-gate doctor --pid $(pidof metrics-gate)",
			"this user may not read its settings\n  run the command as root"},
		{"the environment", "METRICS_GATE_METRICS_ALLOW=dns:a.example metrics-gate doctor",
			"settings of the environment\n"},
		{"root with the settings of the gate", `pid=$(pidof metrics-gate)
			env $(tr '\0' '\n' < /proc/$pid/environ | grep ^METRICS_GATE_) metrics-gate doctor`,
			"ok    runner 127.0.0.1:9252: the firewall refuses this user: only the gate's user is let in"},
		{"credentials", "metrics-gate check", "/run/credentials/metrics-gate.service/tls.key"},
		{"credentials of a unit", "metrics-gate check --unit metrics-gate", "configuration: ok"},
		{"credentials of a unit that does not run", `systemctl stop metrics-gate.socket metrics-gate
			metrics-gate check; systemctl start metrics-gate`,
			"TLS_KEY_FILE                 /etc/metrics-gate/tls.key"},
		{"a change", "echo METRICS_GATE_RUNNER_NAME=new >> /etc/metrics-gate/metrics-gate.env; metrics-gate check",
			"changed since its start: METRICS_GATE_RUNNER_NAME"},
		{"a mistake", `echo METRICS_GATE_METRICS_ALOW=x >> /etc/metrics-gate/metrics-gate.env
			metrics-gate check --unit metrics-gate`, "METRICS_GATE_METRICS_ALOW"},
		{"a key of others", `sed -i /ALOW/d /etc/metrics-gate/metrics-gate.env
			chmod 0600 /etc/metrics-gate/tls.key; chgrp root /etc/metrics-gate/tls.key
			rm -r /etc/systemd/system/metrics-gate.service.d; systemctl daemon-reload
			metrics-gate check --unit metrics-gate`,
			"permission denied"},
		{"no rule", `systemctl stop metrics-gate-firewall.timer metrics-gate-firewall-restore.service
			systemctl disable --now metrics-gate-firewall.service
			mkdir -p /etc/gitlab-runner; printf '[[runners]]\nexecutor = "shell"\n' > /etc/gitlab-runner/config.toml
			metrics-gate doctor`, "warn  firewall: no rule keeps CI jobs from port 9252"},
		{"a rule for another user", `sed s/metrics-gate\"/nobody\"/ /usr/share/metrics-gate/metrics-gate.nft > other.nft
			nft -D 'ports={ 9252 }' -f other.nft; metrics-gate doctor`,
			"fail  runner 127.0.0.1:9252: the firewall refuses the gate's user"},
	} {
		t.Run(step.name, func(t *testing.T) {
			if out, _ := s.try(step.script); !strings.Contains(out, step.want) {
				t.Errorf("no %q in\n%s", step.want, out)
			}
		})
	}
}
