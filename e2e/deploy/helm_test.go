package deploy

import (
	"encoding/json"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/yaml"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
)

// values are those of the chart that ours set; an unknown one is a failure.
type values struct {
	Metrics struct {
		Enabled    bool   `json:"enabled"`
		Port       int32  `json:"port"`
		PortName   string `json:"portName"`
		PodMonitor struct {
			Enabled   bool                        `json:"enabled"`
			Scheme    string                      `json:"scheme"`
			TLSConfig *monitoringv1.SafeTLSConfig `json:"tlsConfig"`
		} `json:"podMonitor"`
	} `json:"metrics"`
	ExtraEnv           map[string]string         `json:"extraEnv"`
	PodLabels          map[string]string         `json:"podLabels"`
	PodAnnotations     map[string]string         `json:"podAnnotations"`
	PodSecurityContext corev1.PodSecurityContext `json:"podSecurityContext"`
	Automount          *bool                     `json:"automountServiceAccountToken"`
	VolumeMounts       []corev1.VolumeMount      `json:"volumeMounts"`
	ExtraContainers    []corev1.Container        `json:"extraContainers"`
	Volumes            []corev1.Volume           `json:"volumes"`
}

// chart does with the values what the chart's template does.
func chart(t *testing.T, path string) (*appsv1.Deployment, values) {
	t.Helper()
	var v values
	if err := yaml.UnmarshalStrict([]byte(read(t, path)), &v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	d := one[appsv1.Deployment](t, manifests(t, "chart", read(t, "testdata/chart.yaml")))
	pod := &d.Spec.Template
	runner := &pod.Spec.Containers[0]
	if v.Metrics.Port != 0 {
		runner.Ports[0] = corev1.ContainerPort{Name: v.Metrics.PortName, ContainerPort: v.Metrics.Port}
	}
	annotate := func(key, value string) {
		if _, twice := pod.Annotations[key]; twice {
			t.Errorf("annotation %s twice: kustomize refuses that", key)
		}
		pod.Annotations[key] = value
	}
	if v.Metrics.Enabled {
		annotate("prometheus.io/scrape", "true")
		annotate("prometheus.io/port", strconv.Itoa(int(runner.Ports[0].ContainerPort)))
	}
	for key, value := range v.PodAnnotations {
		annotate(key, value)
	}
	for key, value := range v.PodLabels {
		pod.Labels[key] = strings.ReplaceAll(value, "{{ .Release.Name }}", "prod")
	}
	for key, value := range v.ExtraEnv {
		runner.Env = append(runner.Env, corev1.EnvVar{Name: key, Value: value})
	}
	pod.Spec.SecurityContext = &v.PodSecurityContext
	pod.Spec.AutomountServiceAccountToken = v.Automount
	runner.VolumeMounts = append(runner.VolumeMounts, v.VolumeMounts...)
	pod.Spec.Containers = append(pod.Spec.Containers, v.ExtraContainers...)
	pod.Spec.Volumes = append(pod.Spec.Volumes, v.Volumes...)
	return d, v
}

// TestHelm: values alone put the gate into the chart's pod, which is as restricted as can be.
func TestHelm(t *testing.T) {
	d, v := chart(t, source("deploy/k8s/helm/values.yaml"))
	g := gatedPod(t, d, nil)
	g.check(t)
	restricted(t, g.pod, &g.pod.Spec)
	if m := v.Metrics; !m.PodMonitor.Enabled || m.PodMonitor.Scheme != "https" || *m.PodMonitor.TLSConfig.ServerName == "" || m.Port != 9253 {
		t.Errorf("metrics %+v", m)
	}
	for port, want := range map[string]string{"prometheus.io/port": "9253", "prometheus.io/scheme": "https"} {
		if got := g.pod.Annotations[port]; got != want {
			t.Errorf("%s is %q, not %q", port, got, want)
		}
	}
}

// TestHelmPostRender runs the post-renderer on the chart's output.
func TestHelmPostRender(t *testing.T) {
	d, _ := chart(t, source("deploy/k8s/helm-post-render/values.yaml"))
	release, err := yaml.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), source("deploy/k8s/helm-post-render/post-render.sh"))
	cmd.Stdin = strings.NewReader(string(release))
	r := finish(t, cmd)
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("exit %d: %s", r.code, r.stderr)
	}
	list := manifests(t, "release", r.stdout)
	g := gatedPod(t, one[appsv1.Deployment](t, list), list)
	g.check(t)
	restricted(t, g.pod, &g.pod.Spec)
	if !g.native {
		t.Error("not a native sidecar")
	}
	if good := command(t, "git", "-C", source("deploy/k8s"), "status", "--porcelain", "--ignored", "helm-post-render"); strings.Contains(good.stdout, "release.yaml") {
		t.Error("the post-renderer leaves files behind")
	}
}

// TestHelm4Plugin: the plugin's file has the fields that Helm 4 asks for, and runs what is there.
func TestHelm4Plugin(t *testing.T) {
	var plugin struct {
		APIVersion    string `json:"apiVersion"`
		Type          string `json:"type"`
		Name          string `json:"name"`
		Version       string `json:"version"`
		Runtime       string `json:"runtime"`
		RuntimeConfig struct {
			PlatformCommand []struct {
				Command string `json:"command"`
			} `json:"platformCommand"`
		} `json:"runtimeConfig"`
	}
	if err := yaml.UnmarshalStrict([]byte(read(t, source("deploy/k8s/helm-post-render/plugin.yaml"))), &plugin); err != nil {
		t.Fatal(err)
	}
	command := plugin.RuntimeConfig.PlatformCommand[0].Command
	if plugin.Type != "postrenderer/v1" || plugin.APIVersion != "v1" || command != "${HELM_PLUGIN_DIR}/post-render.sh" {
		t.Errorf("%+v", plugin)
	}
}

// TestOperator applies the Runner's patches as the operator does: the listener, then podSpec.
func TestOperator(t *testing.T) {
	list := manifests(t, "operator", good(t, "kubectl", "kustomize", source("deploy/k8s/operator")))
	r := one[runner](t, list)
	d := one[appsv1.Deployment](t, manifests(t, "operator", read(t, "testdata/operator.yaml")))
	spec := &d.Spec.Template.Spec
	for i, e := range spec.Containers[0].Env {
		if e.Name == "LISTEN_ADDRESS" {
			spec.Containers[0].Env[i].Value = r.Spec.ListenAddr
		}
	}
	for _, p := range r.Spec.PodSpec {
		if p.PatchType != "strategic" || p.Name == "" {
			t.Fatalf("patch %q of type %q: merge would replace the runner", p.Name, p.PatchType)
		}
		if err := yaml.UnmarshalStrict([]byte(p.Patch), new(corev1.PodSpec)); err != nil {
			t.Fatalf("patch %s: %v", p.Name, err)
		}
		patch, err := yaml.YAMLToJSON([]byte(p.Patch))
		if err != nil {
			t.Fatal(err)
		}
		original, err := json.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		merged, err := strategicpatch.StrategicMergePatch(original, patch, corev1.PodSpec{})
		if err != nil {
			t.Fatal(err)
		}
		*spec = corev1.PodSpec{}
		if err := json.Unmarshal(merged, spec); err != nil {
			t.Fatal(err)
		}
	}
	g := gatedPod(t, d, nil)
	g.check(t)
	restricted(t, g.pod, &g.pod.Spec)
	checkSelected(t, g, list)
	if g.runner.Name != "runner" || len(g.runner.VolumeMounts) != 3 || !g.native {
		t.Errorf("the runner was not merged but replaced: %+v", g.runner)
	}
}

// TestOperatorRefusesMap: podSpec as a map, as GitLab's page shows it, is what our type refuses too.
func TestOperatorRefusesMap(t *testing.T) {
	_, err := decode("apiVersion: apps.gitlab.com/v1beta2\nkind: Runner\nmetadata: {name: x}\nspec:\n  podSpec: {name: metrics, patch: '{}', patchType: strategic}\n")
	if err == nil {
		t.Error("passed")
	}
}

// TestSidecarsAgree: the container stands in four places; but for what must differ it is the same.
func TestSidecarsAgree(t *testing.T) {
	native := one[appsv1.Deployment](t, manifests(t, "native", read(t, source("deploy/k8s/components/sidecar/sidecar.yaml")))).Spec.Template.Spec.InitContainers[0]
	var patch []struct {
		Op    string           `json:"op"`
		Path  string           `json:"path"`
		Value corev1.Container `json:"value"`
	}
	if err := yaml.UnmarshalStrict([]byte(read(t, source("deploy/k8s/components/sidecar-plain/sidecar.yaml"))), &patch); err != nil {
		t.Fatal(err)
	}
	var operator corev1.PodSpec
	r := one[runner](t, manifests(t, "operator", read(t, source("deploy/k8s/operator/runner.yaml"))))
	if err := yaml.UnmarshalStrict([]byte(r.Spec.PodSpec[0].Patch), &operator); err != nil {
		t.Fatal(err)
	}
	_, v := chart(t, source("deploy/k8s/helm/values.yaml"))
	want := alike(t, native)
	for name, c := range map[string]corev1.Container{"sidecar-plain": patch[0].Value, "operator": operator.InitContainers[0], "helm": v.ExtraContainers[0]} {
		if got := alike(t, c); got != want {
			t.Errorf("%s:\n%s\nsidecar:\n%s", name, got, want)
		}
	}
}

// alike leaves out what differs for a reason: settings, ports, and how long it lives.
func alike(t *testing.T, c corev1.Container) string {
	t.Helper()
	c.Env, c.EnvFrom, c.Ports, c.RestartPolicy, c.StartupProbe = nil, nil, nil, nil, nil
	out, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
