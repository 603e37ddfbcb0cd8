package deploy

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"sigs.k8s.io/yaml"
)

// classic is Grafana's dashboard as files have it and as every Grafana imports it.
//
//lint:ignore SA1019 the newer schema is of a Kubernetes resource
type classic = dashboard.Dashboard

// loadDashboard decodes the dashboard with Grafana's own schema, strictly, the options of each
// kind of panel and query included.
func loadDashboard(t *testing.T) classic {
	t.Helper()
	d, err := decodeDashboard(read(t, source("deploy/monitoring/dashboard.json")))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func decodeDashboard(text string) (d classic, err error) {
	plugins.RegisterDefaultPlugins()
	var raw struct {
		Panels []struct{ FieldConfig json.RawMessage }
	}
	errs := []error{
		new(classic).UnmarshalJSONStrict([]byte(text)),
		json.Unmarshal([]byte(text), &raw),
		json.Unmarshal([]byte(text), &d),
		d.Validate(),
	}
	for _, p := range raw.Panels { // these are not decoded strictly with the rest
		errs = append(errs, new(dashboard.FieldConfigSource).UnmarshalJSONStrict(p.FieldConfig))
	}
	for _, err := range errs {
		var list cog.BuildErrors // success is an empty list
		if err != nil && (!errors.As(err, &list) || len(list) > 0) {
			return d, err
		}
	}
	return d, nil
}

// TestDashboardIsGrafanas: the schema takes the dashboard, and refuses a misspelt field.
func TestDashboardIsGrafanas(t *testing.T) {
	loadDashboard(t)
	text := read(t, source("deploy/monitoring/dashboard.json"))
	for _, field := range []string{`"noValue"`, `"thresholdsStyle"`, `"reduceOptions"`, `"legendFormat"`} {
		if _, err := decodeDashboard(strings.Replace(text, field, field[:len(field)-1]+`x"`, 1)); err == nil {
			t.Errorf("a misspelt %s passes", field)
		}
	}
}

// TestPanelsSayWhatIsMissing: a panel without data says why, and a number is judged by its colour.
func TestPanelsSayWhatIsMissing(t *testing.T) {
	var asked strings.Builder
	for _, p := range loadDashboard(t).Panels {
		if p.Panel == nil {
			continue // a row
		}
		defaults := p.Panel.FieldConfig.Defaults
		if defaults.NoValue == nil || *defaults.NoValue == "" {
			t.Errorf("%s: no noValue", *p.Panel.Title)
		}
		if p.Panel.Type == "stat" && (defaults.Thresholds == nil || len(defaults.Thresholds.Steps) < 2) {
			t.Errorf("%s: no thresholds", *p.Panel.Title)
		}
		text, err := json.Marshal(p.Panel.Targets)
		if err != nil {
			t.Fatal(err)
		}
		asked.Write(text)
	}
	for _, metric := range []string{ // what a runner's owner asks first
		"gitlab_runner_failed_jobs_total",
		"gitlab_runner_job_queue_duration_seconds_bucket", "gitlab_runner_job_duration_seconds_bucket",
		"gitlab_runner_api_request_statuses_total", "gitlab_runner_version_info", "metrics_gate_build_info",
		"metrics_gate_allowed_total", "metrics_gate_rule_last_used_timestamp_seconds",
	} {
		if !strings.Contains(asked.String(), metric) {
			t.Errorf("no panel asks for %s", metric)
		}
	}
}

// TestPanelsNameTheRunner: with many gates an address says nothing. Queries of the gate's metrics
// obey the choice of a runner, and group and label by its name.
func TestPanelsNameTheRunner(t *testing.T) {
	for _, p := range loadDashboard(t).Panels {
		if p.Panel == nil {
			continue
		}
		text, err := json.Marshal(p.Panel.Targets)
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(`by \([^)]*instance|\{\{instance`).Match(text) {
			t.Errorf("%s names an address: %s", *p.Panel.Title, text)
		}
		for _, m := range regexp.MustCompile(`metrics_gate_\w+\{[^}]*\}`).FindAllString(string(text), -1) {
			if !strings.Contains(m, "$runner_name") {
				t.Errorf("%s: %s shows every runner", *p.Panel.Title, m)
			}
		}
	}
}

// alert is what TestAlertsLead reads of a rule.
type alert struct {
	Alert       string
	Expr        string
	Annotations map[string]string
}

func alerts(t *testing.T) (list []alert) {
	t.Helper()
	var file struct{ Groups []struct{ Rules []alert } }
	if err := yaml.Unmarshal([]byte(read(t, source("deploy/monitoring/rules.yaml"))), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if r.Alert != "" {
				list = append(list, r)
			}
		}
	}
	if len(list) < 10 {
		t.Fatalf("%d alerts", len(list))
	}
	return list
}

// TestAlertsLead: an alert names the runner, and leads to a page and to the dashboard.
func TestAlertsLead(t *testing.T) {
	d := loadDashboard(t)
	variables := map[string]bool{}
	for _, v := range d.Templating.List {
		variables[v.Name] = true
	}
	aggregated := regexp.MustCompile(`by \(([^)]*)\)`)
	for _, a := range alerts(t) {
		if !strings.Contains(a.Annotations["summary"], "{{ $labels.runner_name }}") {
			t.Errorf("%s does not name the runner: %s", a.Alert, a.Annotations["summary"])
		}
		if by := aggregated.FindStringSubmatch(a.Expr); by != nil && !strings.Contains(by[1], "runner_name") &&
			!strings.Contains(a.Expr, " and on ") {
			t.Errorf("%s drops the runner's name: %s", a.Alert, a.Expr)
		}
		checkPage(t, a)
		folder, query, _ := strings.Cut(a.Annotations["dashboard_url"], "?var-")
		variable, _, _ := strings.Cut(query, "=")
		if folder != "/d/"+*d.Uid || !variables[variable] {
			t.Errorf("%s: dashboard %s, variable %s", a.Alert, folder, variable)
		}
	}
}

// checkPage: the page is in docs, with the heading.
func checkPage(t *testing.T, a alert) {
	t.Helper()
	page, anchor, _ := strings.Cut(a.Annotations["runbook_url"], "#")
	content, err := os.ReadFile(source("docs", filepath.Base(page)))
	if err != nil {
		t.Errorf("%s: %v", a.Alert, err)
		return
	}
	notWords := regexp.MustCompile(`[^a-z0-9 -]`)
	for _, h := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(content), -1) {
		if anchor == "" ||
			strings.ReplaceAll(notWords.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-") == anchor {
			return
		}
	}
	t.Errorf("%s: %s has no heading %s", a.Alert, page, anchor)
}
