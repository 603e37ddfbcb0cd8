package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
)

// bases are runners as they are found: one without a chart, the chart's, the operator's.
var bases = map[string]string{"plain": "", "chart": "testdata/chart.yaml", "operator": "testdata/operator.yaml"}

// tree copies deploy/k8s, with another runner in examples/runner.
func tree(t *testing.T, base string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(source("deploy", "k8s"))); err != nil {
		t.Fatal(err)
	}
	if base == "" {
		return dir
	}
	content := read(t, base)
	if strings.HasSuffix(base, "chart.yaml") { // the chart has no such label by itself: podLabels adds it
		content = strings.Replace(content, "        heritage: \"Helm\"\n      annotations:", "        heritage: \"Helm\"\n        app.kubernetes.io/name: prod\n      annotations:", 1)
	}
	// Where the operator runs, the SCC sets the fsGroup.
	content = strings.Replace(content, "      serviceAccountName: gitlab-runner-app-sa\n", "      serviceAccountName: gitlab-runner-app-sa\n      securityContext: {fsGroup: 1000650000}\n", 1)
	if err := os.WriteFile(filepath.Join(dir, "examples", "runner", "deployment.yaml"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestExamples builds every example onto every kind of runner and looks at the result.
func TestExamples(t *testing.T) {
	for kind, base := range bases {
		dir := tree(t, base)
		for _, example := range glob(t, "deploy/k8s/examples/*") {
			name := filepath.Base(example)
			if name == "runner" {
				continue
			}
			t.Run(kind+"/"+name, func(t *testing.T) {
				list := manifests(t, name, good(t, "kubectl", "kustomize", filepath.Join(dir, "examples", name)))
				g := gatedPod(t, one[appsv1.Deployment](t, list), list)
				g.check(t)
				if g.native == (name == "before-1.29") {
					t.Errorf("native sidecar: %v", g.native)
				}
				if kind == "plain" {
					restricted(t, g.pod, &g.pod.Spec)
				}
				checkSelected(t, g, list)
				if c := one[certificate](t, list); c.Spec.SecretName != "metrics-gate-tls" || c.Namespace != g.Namespace {
					t.Errorf("certificate %+v", c)
				}
				for _, p := range g.pod.Spec.Volumes {
					if p.Secret != nil && p.Name == "metrics-gate-tls" && p.Secret.SecretName != "metrics-gate-tls" {
						t.Errorf("volume %+v", p)
					}
				}
				merge := g.pod.Annotations["prometheus.istio.io/merge-metrics"]
				if (merge == "false") != (name == "mesh") {
					t.Errorf("metric merging: %q", merge)
				}
			})
		}
	}
}

// checkSelected: the policy, the monitors and the Service mean this pod.
func checkSelected(t *testing.T, g gated, list []any) {
	t.Helper()
	np := one[networkingv1.NetworkPolicy](t, list)
	if !selects(t, &np.Spec.PodSelector, g.pod.Labels) || np.Namespace != g.Namespace {
		t.Errorf("the NetworkPolicy does not select %v", g.pod.Labels)
	}
	for _, path := range glob(t, "deploy/k8s/prometheus-operator/podmonitor-*.yaml") {
		m := one[monitoringv1.PodMonitor](t, manifests(t, path, read(t, path)))
		if !selects(t, &m.Spec.Selector, g.pod.Labels) || m.Spec.NamespaceSelector.MatchNames[0] != g.Namespace {
			t.Errorf("%s does not select %v", path, g.pod.Labels)
		}
		for _, e := range m.Spec.PodMetricsEndpoints {
			if *e.Port != "metrics-gate" || *e.Scheme != "https" {
				t.Errorf("%s: port %s, scheme %s", path, *e.Port, *e.Scheme)
			}
		}
	}
	service := one[corev1.Service](t, manifests(t, "service", read(t, source("deploy/k8s/prometheus-operator/service.yaml"))))
	if !labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(g.pod.Labels)) || service.Namespace != g.Namespace {
		t.Errorf("the Service does not select %v", g.pod.Labels)
	}
	for _, path := range glob(t, "deploy/k8s/prometheus-operator/servicemonitor-*.yaml") {
		m := one[monitoringv1.ServiceMonitor](t, manifests(t, path, read(t, path)))
		if !selects(t, &m.Spec.Selector, service.Labels) || m.Spec.Endpoints[0].Port != service.Spec.Ports[0].Name {
			t.Errorf("%s does not select the Service", path)
		}
	}
}

func selects(t *testing.T, s *metav1.LabelSelector, set map[string]string) bool {
	t.Helper()
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		t.Fatal(err)
	}
	return selector.Matches(labels.Set(set))
}

// TestManifests decodes every manifest, patch and example by itself, strictly.
func TestManifests(t *testing.T) {
	count := 0
	err := filepath.WalkDir(source("deploy", "k8s"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		switch filepath.Base(path) {
		case "kustomization.yaml", "values.yaml", "plugin.yaml": // kubectl and TestHelm read these
			return nil
		}
		if strings.HasSuffix(path, "sidecar-plain/sidecar.yaml") { // a JSON patch; see TestSidecarsAgree
			return nil
		}
		count += len(manifests(t, path, read(t, path)))
		return nil
	})
	if err != nil || count < 25 {
		t.Errorf("%d manifests, %v", count, err)
	}
}

// TestStrict: a field that no type has is found.
func TestStrict(t *testing.T) {
	text := read(t, source("deploy/k8s/components/network-policy/networkpolicy.yaml"))
	for _, bad := range []string{strings.Replace(text, "podSelector:", "podSelektor:", 1), text + "metadata: {name: twice}\n"} {
		if _, err := decode(bad); err == nil {
			t.Errorf("passed:\n%s", bad)
		}
	}
}
