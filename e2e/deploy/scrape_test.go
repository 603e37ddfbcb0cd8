package deploy

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/config"
	_ "github.com/prometheus/prometheus/discovery/kubernetes" // kubernetes_sd_configs; Debian's promtool lacks it
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	monitoringv1alpha1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
)

// TestStaticScrapeConfigs has promtool read the configurations for hosts, with the files they name.
func TestStaticScrapeConfigs(t *testing.T) {
	pki := harness.NewPKI(t)
	pki.Write(t, "token", []byte("x"))
	pki.Write(t, "client-secret", []byte("x"))
	files := strings.NewReplacer(
		"/etc/prometheus/metrics-gate/ca.crt",
		pki.File("ca.pem"),
		"/etc/prometheus/metrics-gate/tls.crt",
		pki.File("server.pem"),
		"/etc/prometheus/metrics-gate/tls.key",
		pki.File("server-key.pem"),
		"/etc/prometheus/metrics-gate",
		pki.Dir,
	)
	for _, path := range glob(t, "deploy/k8s/scrape-configs/static-*.yml") {
		text := files.Replace(read(t, path))
		name := filepath.Join(t.TempDir(), "prometheus.yml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := command(t, "promtool", "check", "config", name); r.code != 0 {
			t.Errorf("%s: %s%s", path, r.stdout, r.stderr)
		}
		if err := os.WriteFile(name, []byte(strings.Replace(text, "scheme:", "sheme:", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := command(t, "promtool", "check", "config", name); r.code == 0 {
			t.Errorf("%s: a misspelt key passed", path)
		}
	}
}

// TestScrapeConfigs has Prometheus' own loader read all of them.
func TestScrapeConfigs(t *testing.T) {
	for _, path := range glob(t, "deploy/k8s/scrape-configs/*.yml") {
		c, err := config.Load(read(t, path), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		var jobs, paths []string
		for _, s := range c.ScrapeConfigs {
			jobs, paths = append(jobs, s.JobName), append(paths, s.MetricsPath)
			checkScrape(t, path, s)
		}
		both(t, path, paths)
		if !slices.Equal(jobs, []string{"gitlab-runner", "metrics-gate"}) {
			t.Errorf("%s: jobs %q", path, jobs)
		}
	}
}

func checkScrape(t *testing.T, path string, s *config.ScrapeConfig) {
	t.Helper()
	http := s.HTTPClientConfig
	if s.Scheme != "https" || http.TLSConfig.CAFile == "" || http.TLSConfig.InsecureSkipVerify {
		t.Errorf("%s: %+v", path, http.TLSConfig)
	}
	used := map[string]bool{
		"mtls":   http.TLSConfig.CertFile != "",
		"bearer": http.Authorization != nil && http.Authorization.CredentialsFile != "",
		"oauth2": http.OAuth2 != nil && http.OAuth2.ClientSecretFile != "",
	}
	for kind, shown := range used {
		if shown != strings.HasSuffix(path, "-"+kind+".yml") {
			t.Errorf("%s: %s is %v", path, kind, shown)
		}
	}
	if strings.HasPrefix(filepath.Base(path), "kubernetes-") {
		checkTargets(t, path, s.RelabelConfigs)
	}
}

// checkTargets: of the targets that discovery makes of a runner's pod, one for each port, the
// gate's remains; of a job's pod none.
func checkTargets(t *testing.T, path string, rules []*relabel.Config) {
	t.Helper()
	kept := 0
	for _, target := range []struct{ component, port, address string }{
		{"runner", "metrics-gate", "10.0.0.1:9253"}, {"runner", "metrics", "10.0.0.1:9252"},
		{"runner", "", "10.0.0.1:9254"},
		{"", "metrics-gate", "10.0.0.2:9253"}, {"prometheus", "web", "10.0.0.3:9090"},
	} {
		b := labels.NewBuilder(
			labels.FromStrings(
				"__address__",
				target.address,
				"__meta_kubernetes_pod_name",
				"p",
				"__meta_kubernetes_namespace",
				"gitlab-runner",
				"__meta_kubernetes_pod_container_port_name",
				target.port,
				"__meta_kubernetes_pod_label_app_kubernetes_io_component",
				target.component,
			),
		)
		if relabel.ProcessBuilder(b, rules...) {
			kept++
			if got := b.Labels(); target.address != "10.0.0.1:9253" || got.Get("pod") != "p" || got.Has("runner_name") {
				t.Errorf("%s: kept %v", path, got)
			}
		}
	}
	if kept != 1 {
		t.Errorf("%s: %d targets of one runner", path, kept)
	}
}

// TestMonitors: each variant authenticates in its own way only, and verifies the gate.
func TestMonitors(t *testing.T) {
	prom := one[monitoringv1.Prometheus](
		t,
		manifests(t, "class", read(t, source("deploy/k8s/prometheus-operator/scrapeclass-prometheus.yaml"))),
	)
	classes := map[string]monitoringv1.ScrapeClass{}
	for _, c := range prom.Spec.ScrapeClasses {
		classes[c.Name] = c
		for _, file := range []string{c.TLSConfig.CAFile, c.TLSConfig.CertFile, c.TLSConfig.KeyFile} {
			if file != "" && !strings.HasPrefix(file, prom.Spec.VolumeMounts[0].MountPath+"/") {
				t.Errorf("class %s: %s is not mounted", c.Name, file)
			}
		}
	}
	if e := *prom.Spec.Volumes[0].Projected.Sources[0].ServiceAccountToken; e.Audience != "metrics-gate" ||
		*e.ExpirationSeconds < 600 {
		t.Errorf("token %+v", e)
	}
	for _, path := range glob(t, "deploy/k8s/prometheus-operator/podmonitor-*.yaml") {
		var paths []string
		for _, m := range only[monitoringv1.PodMonitor](manifests(t, path, read(t, path))) {
			e := m.Spec.PodMetricsEndpoints[0]
			paths = append(paths, e.Path)
			checkPodEndpoint(t, path, m.Spec.ScrapeClassName, e, classes)
		}
		both(t, path, paths)
	}
	for _, path := range glob(t, "deploy/k8s/prometheus-operator/servicemonitor-*.yaml") {
		var paths, jobs []string
		for _, m := range only[monitoringv1.ServiceMonitor](manifests(t, path, read(t, path))) {
			e := m.Spec.Endpoints[0]
			paths, jobs = append(paths, e.Path), append(jobs, *e.RelabelConfigs[0].Replacement)
			credentialsMatch(t, path, &e.TLSConfig.SafeTLSConfig, e.Authorization != nil, e.OAuth2 != nil)
		}
		both(t, path, paths)
		if !slices.Equal(jobs, []string{"gitlab-runner", "metrics-gate"}) {
			t.Errorf("%s: `up` of both targets of a pod is one series: jobs %q", path, jobs)
		}
	}
	for _, path := range glob(t, "deploy/k8s/prometheus-operator/scrapeconfig-*.yaml") {
		var paths []string
		for _, m := range only[monitoringv1alpha1.ScrapeConfig](manifests(t, path, read(t, path))) {
			paths = append(paths, *m.Spec.MetricsPath)
			credentialsMatch(t, path, m.Spec.TLSConfig, m.Spec.Authorization != nil, m.Spec.OAuth2 != nil)
			if m.Spec.JobName == nil || *m.Spec.JobName != m.Name {
				t.Errorf("%s: job %v of %s", path, m.Spec.JobName, m.Name)
			}
		}
		both(t, path, paths)
	}
}

// both: the runner's metrics and the gate's own, without which no alert on the gate can fire.
func both(t *testing.T, path string, paths []string) {
	t.Helper()
	if !slices.Equal(paths, []string{"/metrics", "/gate/metrics"}) {
		t.Errorf("%s scrapes %q", path, paths)
	}
}

// TestEverythingScrapesTheGate: each file that says how to scrape a runner, and each example of
// the documents, also scrapes the gate's own metrics. No alert on the gate can fire otherwise.
func TestEverythingScrapesTheGate(t *testing.T) {
	scrapes := regexp.MustCompile(`(?m)^ *kind: (PodMonitor|ServiceMonitor|ScrapeConfig)$|scrape_configs:|job_name:|` +
		`prometheus\.scrape |inputs\.prometheus\]`)
	found := 0
	check := func(path, text string) {
		if scrapes.MatchString(text) {
			found++
			if !strings.Contains(text, "/gate/metrics") {
				t.Errorf("%s does not scrape /gate/metrics:\n%s", path, text)
			}
		}
	}
	err := filepath.WalkDir(source("deploy"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Base(filepath.Dir(path)) != "monitoring" {
			check(path, read(t, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^ *```[a-z]+\n(.*?)^ *```")
	for _, path := range glob(t, "docs/*.md") {
		for _, block := range blocks.FindAllStringSubmatch(read(t, path), -1) {
			check(path, block[1])
		}
	}
	for _, kind := range []string{
		"podmonitor", "servicemonitor", "scrapeconfig", "kubernetes_sd", "scrape-config", "helm-values",
	} {
		check("print "+kind, printed(t, configured["mtls"], kind))
	}
	if found < 25 {
		t.Errorf("%d ways to scrape", found)
	}
}

func checkPodEndpoint(
	t *testing.T,
	path string,
	class *string,
	e monitoringv1.PodMetricsEndpoint,
	classes map[string]monitoringv1.ScrapeClass,
) {
	t.Helper()
	if *e.Port != "metrics-gate" || *e.Scheme != "https" {
		t.Errorf("%s: port %s, scheme %s", path, *e.Port, *e.Scheme)
	}
	if class == nil {
		credentialsMatch(t, path, e.TLSConfig, e.Authorization != nil, e.OAuth2 != nil)
		return
	}
	c, ok := classes[*class]
	if !ok || e.TLSConfig != nil || e.Authorization != nil || *c.TLSConfig.ServerName == "" {
		t.Errorf("%s: class %+v, endpoint %+v", path, c, e)
	}
	if (c.Authorization != nil) != strings.HasSuffix(path, "-bearer.yaml") ||
		(e.OAuth2 != nil) != strings.HasSuffix(path, "-oauth2.yaml") {
		t.Errorf("%s: credentials do not match the name", path)
	}
}

// credentialsMatch: the scraper authenticates in exactly the way that the file's name says.
func credentialsMatch(t *testing.T, path string, tls *monitoringv1.SafeTLSConfig, bearer, oauth2 bool) {
	t.Helper()
	if tls == nil || tls.CA.ConfigMap == nil || tls.InsecureSkipVerify != nil || tls.ServerName == nil {
		t.Errorf("%s: the gate is not verified: %+v", path, tls)
		return
	}
	shown := map[string]bool{"mtls": tls.Cert.Secret != nil && tls.KeySecret != nil, "bearer": bearer, "oauth2": oauth2}
	for kind, is := range shown {
		if is != strings.HasSuffix(path, "-"+kind+".yaml") {
			t.Errorf("%s: %s is %v", path, kind, is)
		}
	}
}
