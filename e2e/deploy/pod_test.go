package deploy

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

const (
	apiAccess = "/var/run/secrets/kubernetes.io/serviceaccount"
	gateName  = "metrics-gate"
)

// gated is a runner's pod with the gate in it, as it would be applied.
type gated struct {
	*appsv1.Deployment
	pod    *corev1.PodTemplateSpec
	gate   *corev1.Container
	runner *corev1.Container
	native bool
	config map[string]string // from envFrom
}

// gatedPod finds the gate and the runner in a Deployment.
func gatedPod(t *testing.T, d *appsv1.Deployment, list []any) gated {
	t.Helper()
	g := gated{Deployment: d, pod: &d.Spec.Template, config: map[string]string{}}
	spec := &g.pod.Spec
	for i := range spec.InitContainers {
		if c := &spec.InitContainers[i]; c.Name == gateName {
			g.gate, g.native = c, true
		}
	}
	for i := range spec.Containers {
		switch c := &spec.Containers[i]; {
		case c.Name == gateName && g.gate == nil:
			g.gate = c
		case c.Name == gateName:
			t.Fatal("the gate is there twice")
		case g.runner == nil:
			g.runner = c
		}
	}
	if g.gate == nil || g.runner == nil {
		t.Fatalf("gate %v, runner %v: one is missing", g.gate, g.runner)
	}
	for _, from := range g.gate.EnvFrom {
		for _, m := range only[corev1.ConfigMap](list) {
			if m.Name == from.ConfigMapRef.Name && m.Namespace == d.Namespace {
				maps.Copy(g.config, m.Data)
			}
		}
		if len(g.config) == 0 {
			t.Errorf("ConfigMap %s is not among what is applied", from.ConfigMapRef.Name)
		}
	}
	return g
}

// environ is what the gate's process would see; a container's own value is the last and wins.
func (g gated) environ() map[string]string {
	env := map[string]string{}
	for k, v := range g.config {
		env[k] = v
	}
	for _, e := range g.gate.Env {
		if e.ValueFrom != nil && e.ValueFrom.FieldRef != nil {
			label := strings.TrimSuffix(strings.TrimPrefix(e.ValueFrom.FieldRef.FieldPath, "metadata.labels['"), "']")
			env[e.Name] = g.pod.Labels[label]
			continue
		}
		env[e.Name] = e.Value
	}
	return env
}

// check asserts all that a gated pod must be, in a cluster.
func (g gated) check(t *testing.T, c *cluster) {
	t.Helper()
	g.checkLoopback(t)
	g.checkPorts(t)
	g.checkLifetime(t)
	g.checkFiles(t, c)
	g.checkSecurity(t)
	g.checkResources(t)
	checkEnviron(t, g.environ())
}

// checkLoopback: the runner is bound to loopback, and the gate asks there.
func (g gated) checkLoopback(t *testing.T) {
	t.Helper()
	listen := ""
	for _, e := range g.runner.Env {
		if e.Name == "LISTEN_ADDRESS" {
			listen = e.Value // of twins the last one counts
		}
	}
	if listen != "127.0.0.1:9252" {
		t.Errorf("the runner listens on %q", listen)
	}
	if url := g.environ()["METRICS_GATE_UPSTREAM_URL"]; url != "http://localhost:9252" {
		t.Errorf("the gate asks %q", url)
	}
	if g.environ()["METRICS_GATE_RUNNER_NAME"] == "" {
		t.Error("the runner's name is empty: the pod lacks the label")
	}
}

// checkPorts: one port is named for the gate and it is 9253; no number or name twice.
func (g gated) checkPorts(t *testing.T) {
	t.Helper()
	names, numbers := map[string]int32{}, map[int32]bool{}
	for _, c := range append(slices.Clone(g.pod.Spec.InitContainers), g.pod.Spec.Containers...) {
		for _, p := range c.Ports {
			if names[p.Name] != 0 || numbers[p.ContainerPort] {
				t.Errorf("port %s %d clashes", p.Name, p.ContainerPort)
			}
			if len(p.Name) > 15 {
				t.Errorf("port name %q is longer than 15", p.Name)
			}
			names[p.Name], numbers[p.ContainerPort] = p.ContainerPort, true
		}
	}
	if names["metrics-gate"] != 9253 {
		t.Errorf("port metrics-gate is %d", names["metrics-gate"])
	}
	if v := g.pod.Annotations["prometheus.io/port"]; v == "9252" {
		t.Error("annotations name the runner's port")
	}
	probes := []*corev1.Probe{g.gate.LivenessProbe, g.gate.ReadinessProbe}
	if g.native {
		probes = append(probes, g.gate.StartupProbe)
	}
	for _, p := range probes {
		if p == nil || p.HTTPGet == nil || ":"+p.HTTPGet.Port.String() != g.environ()["METRICS_GATE_ADMIN_ADDRESS"] {
			t.Errorf("probe %v does not ask the health listener", p)
		}
	}
}

// checkLifetime: the gate is there for as long as the runner drains.
func (g gated) checkLifetime(t *testing.T) {
	t.Helper()
	if g.native {
		if p := g.gate.RestartPolicy; p == nil || *p != corev1.ContainerRestartPolicyAlways {
			t.Error("an init container without restartPolicy Always blocks the runner for ever")
		}
		return
	}
	linger, err := time.ParseDuration(g.environ()["METRICS_GATE_LINGER"])
	grace := time.Duration(*g.pod.Spec.TerminationGracePeriodSeconds) * time.Second
	if err != nil || linger < 30*time.Minute || linger+30*time.Second >= grace {
		t.Errorf("linger %s (%v) and the drain do not fit the grace period of %s", linger, err, grace)
	}
	if g.pod.Spec.Containers[0].Name == gateName {
		t.Error("the gate is the pod's default container")
	}
}

// checkSecurity: the gate alone fulfils the restricted level, whatever the pod sets for the runner.
func (g gated) checkSecurity(t *testing.T) {
	t.Helper()
	alone := g.pod.Spec.DeepCopy()
	alone.SecurityContext = nil
	alone.Containers, alone.InitContainers = []corev1.Container{*g.gate}, nil
	restricted(t, g.pod, alone)
	if s := g.gate.SecurityContext; s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
		t.Error("the gate's root is writable")
	}
}

// restricted asks the admission plugin's own code.
func restricted(t *testing.T, pod *corev1.PodTemplateSpec, spec *corev1.PodSpec) {
	t.Helper()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	if r := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &pod.ObjectMeta, spec)); !r.Allowed {
		t.Errorf("pod security: %s: %s", r.ForbiddenReason(), r.ForbiddenDetail())
	}
}

// checkResources: the Go runtime collects before the limit is reached, and there is no CPU limit to stall a scrape.
func (g gated) checkResources(t *testing.T) {
	t.Helper()
	r := g.gate.Resources
	if r.Requests.Cpu().String() != "10m" || r.Requests.Memory().String() != "32Mi" || !r.Limits.Cpu().IsZero() {
		t.Errorf("resources %+v", r)
	}
	soft, err := resource.ParseQuantity(strings.TrimSuffix(g.environ()["GOMEMLIMIT"], "B"))
	if err != nil {
		t.Fatal(err)
	}
	if share := float64(soft.Value()) / float64(r.Limits.Memory().Value()); share < 0.75 || share > 0.82 {
		t.Errorf("GOMEMLIMIT is %.0f %% of the memory limit", share*100)
	}
}
