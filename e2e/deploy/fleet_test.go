package deploy

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// TestReferences: in a cluster with an example, cert-manager's objects and a way to scrape,
// every reference leads somewhere.
func TestReferences(t *testing.T) {
	dir := tree(t, "")
	issuers := build(t, dir, "cert-manager")
	examples := map[string][]any{}
	for _, name := range overlays(t) {
		examples[name] = build(t, dir, "examples", name)
	}
	for _, way := range ways {
		for kind, files := range map[string][]string{
			"podmonitor":     {"podmonitor-" + way + ".yaml"},
			"servicemonitor": {"servicemonitor-" + way + ".yaml"},
			"scrapeconfig":   {"scrapeconfig-" + way + ".yaml"},
			"scrapeclass":    {"scrapeclass-prometheus.yaml", "podmonitor-scrapeclass-" + way + ".yaml"},
		} {
			monitors := chosen(t, dir, files...)
			for name, example := range examples {
				t.Run(kind+"-"+way+"/"+name, func(t *testing.T) {
					c := newCluster(t, example, issuers, monitors)
					c.resolve(t)
					c.agree(t, way)
				})
			}
		}
	}
}

// agree: Prometheus verifies a name that is in the gates' certificates; a pattern for its
// certificate is the URI that the certificate has; its two targets in one pod differ by job.
func (c *cluster) agree(t *testing.T, way string) {
	t.Helper()
	names, uris := map[string]bool{}, map[string]bool{}
	for _, x := range only[certificate](c.objects) {
		for _, name := range x.Spec.DNSNames {
			names[name] = true
		}
		for _, uri := range x.Spec.URIs {
			uris["uri:"+uri] = true
		}
	}
	paths := map[string]bool{}
	jobs := map[string]bool{}
	for _, m := range only[monitoringv1.PodMonitor](c.objects) {
		for _, e := range m.Spec.PodMetricsEndpoints {
			if e.TLSConfig != nil && !names[*e.TLSConfig.ServerName] {
				t.Errorf("PodMonitor %s: no certificate for %s", m.Name, *e.TLSConfig.ServerName)
			}
			path := e.Path
			if path == "" {
				path = "/metrics"
			}
			if paths[path] || len(m.Spec.PodMetricsEndpoints) != 1 || jobs[m.Namespace+"/"+m.Name] {
				t.Errorf("PodMonitor %s: %s is scraped twice, or under another target's job", m.Name, path)
			}
			paths[path], jobs[m.Namespace+"/"+m.Name] = true, true
		}
	}
	if len(only[monitoringv1.PodMonitor](c.objects)) > 0 && (!paths["/metrics"] || !paths["/gate/metrics"]) {
		t.Errorf("the monitors scrape %v", paths)
	}
	for _, d := range only[appsv1.Deployment](c.objects) {
		for pattern := range strings.SplitSeq(gatedPod(t, d, c.objects).environ()["METRICS_GATE_METRICS_ALLOW"], ",") {
			if strings.HasPrefix(pattern, "uri:") && !uris[pattern] && way == "mtls" {
				t.Errorf("%s: no certificate has %s", d.Name, pattern)
			}
		}
	}
}

// TestTwoInANamespace: two releases side by side collide in nothing, and each policy selects
// its own pods only.
func TestTwoInANamespace(t *testing.T) {
	pairs := map[string]func(t *testing.T, name string) []any{
		"operator": func(t *testing.T, name string) []any {
			dir := tree(t, "")
			replaceIn(t, filepath.Join(dir, "operator/runner.yaml"), "name: my-runner\n", "name: "+name+"\n")
			return operated(t, build(t, dir, "operator"))
		},
	}
	for _, example := range overlays(t) {
		pairs["kustomize/"+example] = func(t *testing.T, name string) []any {
			dir := tree(t, "")
			replaceIn(
				t,
				filepath.Join(dir, "examples/runner/deployment.yaml"),
				"name: gitlab-runner\n",
				"name: "+name+"\n",
				"my-runner",
				name,
			)
			return build(t, dir, "examples", example)
		}
	}
	for kind, folder := range charts() {
		for _, way := range ways {
			pairs["helm/"+kind+"/"+way] = func(t *testing.T, name string) []any {
				return valuesFor(t, name, way).objects(t, folder)
			}
		}
		pairs["post-render/"+kind] = func(t *testing.T, name string) []any {
			return postRender(t, install{release: name, namespace: "gitlab-runner"}, folder)
		}
	}
	for name, render := range pairs {
		t.Run(name, func(t *testing.T) {
			a, b := render(t, "build"), render(t, "deploy")
			c := newCluster(t, a, b, build(t, source("deploy/k8s/cert-manager"))) // says what is there twice
			c.resolve(t)
			for i, own := range [][]any{a, b} {
				other := [][]any{b, a}[i]
				g := gatedPod(t, one[appsv1.Deployment](t, own), own)
				g.check(t, c)
				np := one[networkingv1.NetworkPolicy](t, own)
				if !selects(t, &np.Spec.PodSelector, g.pod.Labels) {
					t.Errorf("%s does not select its own pods", np.Name)
				}
				if selects(t, &np.Spec.PodSelector, one[appsv1.Deployment](t, other).Spec.Template.Labels) {
					t.Errorf("%s selects the other's pods", np.Name)
				}
			}
		})
	}
}

// elsewhere are other values for site.yaml; no old one may be left in what is built.
var elsewhere = []string{
	"[gitlab-runner]", "[ci, builds]", "monitoring\n", "watch\n", "prometheusPods: prometheus", "prometheusPods: agent",
	"metrics-gate.gitlab-runner.internal", "gates.example.org",
	"spiffe://cluster.local/ns/monitoring/sa/prometheus-k8s", "spiffe://example.org/agent",
	"serviceaccount:monitoring:prometheus-k8s", "serviceaccount:watch:agent",
	"metrics-gate:0.1.0", "metrics-gate@sha256:" + strings.Repeat("0a", 32),
}

// TestSite: the names of a cluster and the image stand in site.yaml and nowhere else.
func TestSite(t *testing.T) {
	dir := tree(t, "")
	replaceIn(t, filepath.Join(dir, "site/site.yaml"), elsewhere...)
	replaceIn(t, filepath.Join(dir, "examples/runner/kustomization.yaml"), "namespace: gitlab-runner", "namespace: ci")
	replaceIn(t, filepath.Join(dir, "operator/runner.yaml"), "namespace: gitlab-runner", "namespace: ci")
	built := map[string]string{}
	for _, folder := range append(overlays(t), "../cert-manager", "../operator") {
		built[folder] = good(t, "kubectl", "kustomize", filepath.Join(dir, "examples", folder))
	}
	for _, path := range glob(t, "deploy/k8s/prometheus-operator/*-*.yaml") {
		name := filepath.Base(path)
		built[name] = fmt.Sprint(shapes(t, chosen(t, dir, name)))
	}
	for name, text := range built {
		for _, old := range []string{": monitoring\n", "- monitoring\n", "namespace: gitlab-runner",
			"- gitlab-runner\n",
			"gitlab-runner.internal", "ns/monitoring",
			"account:monitoring", "app.kubernetes.io/name: prometheus\n", "metrics-gate:0.1.0", "set-by-site"} {
			if strings.Contains(text, old) {
				t.Errorf("%s still has %q", name, old)
			}
		}
	}
	if !strings.Contains(built["mtls"], elsewhere[13]) || !strings.Contains(built["../operator"], elsewhere[13]) {
		t.Error("the image is not that of site.yaml")
	}
}

// TestImageStandsInOnePlace: the version of the image is in site.yaml for kustomize. print writes
// it into the values for Helm.
func TestImageStandsInOnePlace(t *testing.T) {
	var places []string
	files := slices.Concat(glob(t, "deploy/k8s/*/*.yaml"), glob(t, "deploy/k8s/*/*/*.yaml"))
	files = append(files, glob(t, "docs/kubernetes*.md")...)
	for _, path := range files {
		if n := strings.Count(read(t, path), "metrics-gate/metrics-gate:"); n > 0 {
			places = append(places, fmt.Sprint(filepath.Base(path), n))
		}
	}
	slices.Sort(places)
	want := []string{"site.yaml1", "values-bearer.yaml1", "values-oauth2.yaml1", "values.yaml1"}
	if !slices.Equal(places, want) {
		t.Errorf("the image's version is in %v, not %v", places, want)
	}
}
