package deploy

import (
	"encoding/json"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/yaml"
)

// operated applies the Runner's patches as the operator does, the listener and then podSpec,
// and returns the Deployment together with the other objects of the list.
func operated(t *testing.T, list []any) []any {
	t.Helper()
	r := one[runner](t, list)
	d := one[appsv1.Deployment](t, manifests(t, "operator", read(t, "testdata/operator.yaml")))
	d.Name, d.Namespace = r.Name+"-runner", r.Namespace
	for _, set := range []map[string]string{d.Spec.Selector.MatchLabels, d.Spec.Template.Labels} {
		set["app.kubernetes.io/instance"], set["app.kubernetes.io/name"] = r.Name, r.Name+"-runner"
	}
	spec := &d.Spec.Template.Spec
	spec.ServiceAccountName = "" // the operator makes the account, and the ConfigMap of scripts
	spec.Volumes = spec.Volumes[:1]
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
		merge(t, spec, p.Patch)
	}
	return append([]any{d}, list...)
}

// merge applies a strategic merge patch.
func merge(t *testing.T, spec *corev1.PodSpec, text string) {
	t.Helper()
	patch, err := yaml.YAMLToJSON([]byte(text))
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

// TestOperator: the Runner's pod is gated, and all that it refers to is there.
func TestOperator(t *testing.T) {
	list := operated(t, build(t, source("deploy/k8s/operator")))
	c := newCluster(t, list, build(t, source("deploy/k8s/cert-manager")))
	c.resolve(t)
	c.agree(t, "mtls")
	g := gatedPod(t, one[appsv1.Deployment](t, list), list)
	g.check(t, c)
	restricted(t, g.pod, &g.pod.Spec)
	checkSelected(t, g, list)
	if g.runner.Name != "runner" || len(g.runner.VolumeMounts) != 3 || !g.native {
		t.Errorf("the runner was not merged but replaced: %+v", g.runner)
	}
}

// TestOperatorRefusesMap: podSpec as a map, as GitLab's page shows it, is what our type refuses too.
func TestOperatorRefusesMap(t *testing.T) {
	_, err := decode(
		"apiVersion: apps.gitlab.com/v1beta2\nkind: Runner\nmetadata: {name: x}\nspec:\n" +
			"  podSpec: {name: metrics, patch: '{}', patchType: strategic}\n",
	)
	if err == nil {
		t.Error("passed")
	}
}

// TestSidecarsAgree: the container stands in four places; but for what must differ it is the same.
func TestSidecarsAgree(t *testing.T) {
	pod := func(list []any) corev1.PodSpec { return one[appsv1.Deployment](t, list).Spec.Template.Spec }
	want := alike(t, pod(build(t, source("deploy/k8s/examples/mtls"))).InitContainers[0])
	for name, c := range map[string]corev1.Container{
		"sidecar-plain": pod(build(t, source("deploy/k8s/examples/before-1.29"))).Containers[1],
		"operator":      pod(operated(t, build(t, source("deploy/k8s/operator")))).InitContainers[0],
		"helm":          pod(valuesFor(t, "prod", "mtls").objects(t, "testdata/chart")).Containers[1],
	} {
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
