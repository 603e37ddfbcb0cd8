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

// tree copies deploy/k8s, with another runner in examples/runner unless base is empty.
func tree(t *testing.T, base string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(source("deploy", "k8s"))); err != nil {
		t.Fatal(err)
	}
	if base != "" {
		replaceIn(
			t,
			filepath.Join(dir, "examples/runner/deployment.yaml"),
			read(t, filepath.Join(dir, "examples/runner/deployment.yaml")),
			base,
		)
	}
	return dir
}

// replaceIn replaces strings in a file, each of which must be there.
func replaceIn(t *testing.T, path string, pairs ...string) {
	t.Helper()
	text := read(t, path)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%s: no %q", path, pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// build is what `kubectl kustomize` makes of a folder.
func build(t *testing.T, parts ...string) []any {
	t.Helper()
	folder := filepath.Join(parts...)
	return manifests(t, folder, good(t, "kubectl", "kustomize", folder))
}

// chosen builds prometheus-operator in a tree with these files.
func chosen(t *testing.T, dir string, files ...string) []any {
	t.Helper()
	const path = "prometheus-operator/kustomization.yaml"
	text := read(t, filepath.Join(dir, path))
	replaceIn(t, filepath.Join(dir, path), "  - podmonitor-mtls.yaml\n", "  - "+strings.Join(files, "\n  - ")+"\n")
	defer replaceIn(t, filepath.Join(dir, path), read(t, filepath.Join(dir, path)), text)
	return build(t, dir, "prometheus-operator")
}

// bases are runners as they are found: one without a chart, the chart's, the operator's.
func bases(t *testing.T) map[string]string {
	t.Helper()
	chart, err := install{
		release:   "prod",
		namespace: "gitlab-runner",
		set:       []string{`podLabels.app\.kubernetes\.io/name=prod`},
	}.render(
		t,
		"testdata/chart",
	)
	if err != nil {
		t.Fatal(err)
	}
	// Where the operator runs, the SCC sets the fsGroup.
	operator := strings.Replace(read(t, "testdata/operator.yaml"), "      serviceAccountName: gitlab-runner-app-sa\n",
		"      serviceAccountName: gitlab-runner-app-sa\n      securityContext: {fsGroup: 1000650000}\n", 1)
	return map[string]string{"plain": "", "chart": chart, "operator": operator}
}

// overlays are the examples that add the gate to a runner.
func overlays(t *testing.T) (names []string) {
	t.Helper()
	for _, path := range glob(t, "deploy/k8s/examples/*") {
		if name := filepath.Base(path); name != "runner" {
			names = append(names, name)
		}
	}
	return names
}

// TestExamples builds every example onto every kind of runner and looks at the result.
func TestExamples(t *testing.T) {
	for kind, base := range bases(t) {
		dir := tree(t, base)
		for _, name := range overlays(t) {
			t.Run(kind+"/"+name, func(t *testing.T) {
				list := build(t, dir, "examples", name)
				c := newCluster(t, list, build(t, dir, "cert-manager"))
				g := gatedPod(t, one[appsv1.Deployment](t, list), list)
				g.check(t, c)
				if g.native == (name == "before-1.29") {
					t.Errorf("native sidecar: %v", g.native)
				}
				if kind == "plain" {
					restricted(t, g.pod, &g.pod.Spec)
				}
				checkSelected(t, g, list)
				if c := one[certificate](t, list); c.Namespace != g.Namespace || c.Name != g.Name+"-metrics-gate" {
					t.Errorf("certificate %s/%s", c.Namespace, c.Name)
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
		for _, m := range only[monitoringv1.PodMonitor](manifests(t, path, read(t, path))) {
			if !selects(t, &m.Spec.Selector, g.pod.Labels) || m.Spec.NamespaceSelector.MatchNames[0] != g.Namespace {
				t.Errorf("%s does not select %v", path, g.pod.Labels)
			}
		}
	}
	service := one[corev1.Service](
		t,
		manifests(t, "service", read(t, source("deploy/k8s/prometheus-operator/servicemonitor-mtls.yaml"))),
	)
	if !labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(g.pod.Labels)) ||
		service.Namespace != g.Namespace {
		t.Errorf("the Service does not select %v", g.pod.Labels)
	}
	for _, path := range glob(t, "deploy/k8s/prometheus-operator/servicemonitor-*.yaml") {
		for _, m := range only[monitoringv1.ServiceMonitor](manifests(t, path, read(t, path))) {
			if !selects(t, &m.Spec.Selector, service.Labels) || m.Spec.Endpoints[0].Port != service.Spec.Ports[0].Name {
				t.Errorf("%s does not select the Service", path)
			}
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
		switch base := filepath.Base(path); {
		case base == "kustomization.yaml",
			base == "plugin.yaml",
			base == "site.yaml",
			strings.HasPrefix(base, "values"): // others read these
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
	misspelt := strings.Replace(text, "podSelector:", "podSelektor:", 1)
	for _, bad := range []string{misspelt, text + "metadata: {name: twice}\n"} {
		if _, err := decode(bad); err == nil {
			t.Errorf("passed:\n%s", bad)
		}
	}
}
