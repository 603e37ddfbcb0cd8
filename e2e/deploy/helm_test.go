package deploy

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/cli"
	"helm.sh/helm/v4/pkg/postrenderer"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

var ways = []string{"mtls", "bearer", "oauth2"}

// TestHelm: values alone put the gate into the chart's pod, which is as restricted as can be,
// and bring all that it refers to.
func TestHelm(t *testing.T) {
	for kind, folder := range charts() {
		for _, way := range ways {
			t.Run(kind+"/"+way, func(t *testing.T) {
				list := valuesFor(t, "prod", way).objects(t, folder)
				c := newCluster(t, list, build(t, source("deploy/k8s/cert-manager")))
				c.resolve(t)
				g := gatedPod(t, one[appsv1.Deployment](t, list), list)
				g.check(t, c)
				restricted(t, g.pod, &g.pod.Spec)
				c.agree(t, way)
				for key, want := range map[string]string{
					"prometheus.io/port": "9253", "prometheus.io/scheme": "https",
					"prometheus.istio.io/merge-metrics": "false",
				} {
					if got := g.pod.Annotations[key]; got != want {
						t.Errorf("%s is %q, not %q", key, got, want)
					}
				}
				np := one[networkingv1.NetworkPolicy](t, list)
				if !selects(t, &np.Spec.PodSelector, g.pod.Labels) {
					t.Error("the NetworkPolicy does not select the pod")
				}
			})
		}
	}
}

// TestHelmServiceMonitor: who turns the chart's ServiceMonitor on, as GitLab's page does, gets
// the scheme, the certificates and the namespace of the PodMonitor.
func TestHelmServiceMonitor(t *testing.T) {
	for kind, folder := range charts() {
		i := valuesFor(t, "prod", "mtls")
		i.set = []string{
			"service.enabled=true",
			"metrics.serviceMonitor.enabled=true",
			"metrics.podMonitor.enabled=false",
		}
		list := i.objects(t, folder)
		c := newCluster(t, list, build(t, source("deploy/k8s/cert-manager")))
		c.resolve(t)
		m := one[monitoringv1.ServiceMonitor](t, list)
		e := m.Spec.Endpoints[0]
		if m.Namespace != "monitoring" || e.Scheme == nil || *e.Scheme != "https" || e.TLSConfig == nil {
			t.Errorf("%s: %s, endpoint %+v", kind, m.Namespace, e)
			continue
		}
		credentialsMatch(t, "servicemonitor-mtls.yaml", &e.TLSConfig.SafeTLSConfig, false, false)
		if port := one[corev1.Service](t, list).Spec.Ports[0]; port.Port != 9253 || port.Name != e.Port {
			t.Errorf("%s: Service port %+v", kind, port)
		}
	}
}

// TestHelmRefuses: values of another release, and a CA that is not there, are refused.
func TestHelmRefuses(t *testing.T) {
	for want, change := range map[string]func(*install){
		"metricsGate.name is not RELEASE-metrics-gate": func(i *install) { i.release = "other" },
		"--set-file metricsGate.clientCA=FILE":         func(i *install) { i.setFiles = nil },
		"metricsGate.tlsSecret is not": func(i *install) {
			i.set = []string{"metricsGate.tlsSecret=prod-tls"}
		},
	} {
		i := valuesFor(t, "prod", "mtls")
		change(&i)
		if _, err := i.render(t, "testdata/chart"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestHelmReleaseLabelTwice: what the values say of podMonitor.labels.release is so.
func TestHelmReleaseLabelTwice(t *testing.T) {
	for kind, folder := range charts() {
		i := valuesFor(t, "prod", "mtls")
		i.set = []string{"metrics.podMonitor.labels.release=kube-prometheus-stack"}
		text, err := i.render(t, folder)
		if err != nil {
			t.Fatal(err)
		}
		twice := 0
		for _, doc := range separator.Split(text, -1) {
			if _, err := decode(doc); err != nil && strings.Contains(doc, "kind: PodMonitor") {
				twice++
			}
		}
		if twice != 1 {
			t.Errorf("%s: %d PodMonitors with a key twice", kind, twice)
		}
	}
}

// TestHelmSettingsRoll: a setting changes the pods, the CA that the gate reads again does not.
func TestHelmSettingsRoll(t *testing.T) {
	label := func(set ...string) string {
		i := valuesFor(t, "prod", "mtls")
		i.set = set
		pod := one[appsv1.Deployment](t, i.objects(t, "testdata/chart")).Spec.Template
		return pod.Labels["metrics-gate.github.io/settings"]
	}
	before := label()
	if got := label("metricsGate.allow=token:x"); got == before || len(got) != 32 {
		t.Errorf("another METRICS_ALLOW: %q after %q", got, before)
	}
	if got := label(); got != before {
		t.Errorf("nothing changed: %q after %q", got, before)
	}
}

// postRender pipes the chart's output through the post-renderer, as Helm does.
func postRender(t *testing.T, i install, folder string) []any {
	t.Helper()
	i.files = []string{source("deploy/k8s/helm-post-render/values.yaml")}
	text, err := i.render(t, folder)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), source("deploy/k8s/helm-post-render/post-render.sh"))
	cmd.Stdin = strings.NewReader(text)
	r := finish(t, cmd)
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("exit %d: %s", r.code, r.stderr)
	}
	return manifests(t, "release", r.stdout)
}

// TestHelmPostRender: jobs in another namespace stay there, the gate goes where the runner is.
func TestHelmPostRender(t *testing.T) {
	for kind, folder := range charts() {
		for _, jobs := range []string{"", "jobs"} {
			list := postRender(
				t,
				install{release: "prod", namespace: "gitlab-runner", set: []string{"runners.jobNamespace=" + jobs}},
				folder,
			)
			c := newCluster(t, list, build(t, source("deploy/k8s/cert-manager")), namespaces(jobs))
			c.resolve(t)
			g := gatedPod(t, one[appsv1.Deployment](t, list), list)
			g.check(t, c)
			restricted(t, g.pod, &g.pod.Spec)
			checkSelected(t, g, list)
			if !g.native {
				t.Errorf("%s: not a native sidecar", kind)
			}
			elsewhere := slices.DeleteFunc(
				slices.Clone(list),
				func(o any) bool { return meta(o).Namespace == "gitlab-runner" },
			)
			if (jobs == "") != (len(elsewhere) == 0) {
				t.Errorf("%s: jobs in %q: %d objects outside of the release's namespace", kind, jobs, len(elsewhere))
			}
		}
	}
	r := command(t, "git", "-C", source("deploy/k8s"), "status", "--porcelain", "--ignored", "helm-post-render")
	if strings.Contains(r.stdout, "release.yaml") {
		t.Error("the post-renderer leaves files behind")
	}
}

// TestHelm4Plugin: Helm 4 finds the plugin where `helm plugin install` links it, runs it, and
// gets what Helm 3 gets from the script.
func TestHelm4Plugin(t *testing.T) {
	i := install{release: "prod", namespace: "gitlab-runner"}
	want := shapes(t, postRender(t, i, "testdata/chart"))
	i.files = []string{source("deploy/k8s/helm-post-render/values.yaml")}
	text, err := i.render(t, "testdata/chart")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.Symlink(source("deploy/k8s/helm-post-render"), filepath.Join(folder, "metrics-gate")); err != nil {
		t.Fatal(err)
	}
	plugin, err := postrenderer.NewPostRendererPlugin(&cli.EnvSettings{PluginsDirectory: folder}, "metrics-gate")
	if err != nil {
		t.Fatal(err)
	}
	rendered, err := plugin.Run(bytes.NewBufferString(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := shapes(t, manifests(t, "helm 4", rendered.String())); !maps.Equal(got, want) {
		t.Errorf("Helm 4 has\n%v\nHelm 3\n%v", got, want)
	}
}

// TestChartShape: what testdata/chart makes of the values is what the real chart makes of them,
// but for the runner's version and what no value of ours reaches.
func TestChartShape(t *testing.T) {
	real, given := charts()["real"]
	if !given {
		t.Log("no CHART: the shape is compared with nothing")
		return
	}
	i := valuesFor(t, "prod", "mtls")
	i.set = []string{"service.enabled=true", "metrics.serviceMonitor.enabled=true"}
	shape, want := shapes(t, i.objects(t, "testdata/chart")), shapes(t, i.objects(t, real))
	for _, name := range slices.Sorted(maps.Keys(shape)) {
		if shape[name] != want[name] {
			t.Errorf("%s: the shape has\n%s\nthe chart\n%s", name, shape[name], want[name])
		}
	}
}
