package deploy

import (
	"testing"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// traffic is a connection from the peer to a port of the gate's pod.
func (p *peer) traffic(g gated, port int) *matcher.Traffic {
	internal := func(namespace string, labels map[string]string) *matcher.InternalPeer {
		return &matcher.InternalPeer{
			Namespace:       namespace,
			PodLabels:       labels,
			NamespaceLabels: map[string]string{"kubernetes.io/metadata.name": namespace},
		}
	}
	name := ""
	if port == 9253 {
		name = "metrics-gate"
	}
	return &matcher.Traffic{
		Source: &matcher.TrafficPeer{Internal: internal(p.namespace, p.labels), IP: "10.0.0.1"},
		Destination: &matcher.TrafficPeer{
			Internal: internal(g.Namespace, g.pod.Labels),
			IP:       "10.0.0.2",
		}, Protocol: corev1.ProtocolTCP, ResolvedPort: port, ResolvedPortName: name,
	}
}

// admits asks cyclonus, which tests network plugins against its reading of the API, whether
// the policies of a cluster admit the traffic.
func admits(policies []*networkingv1.NetworkPolicy, traffic *matcher.Traffic) bool {
	return matcher.BuildNetworkPolicies(true, policies).IsTrafficAllowed(traffic).IsAllowed()
}

// TestPolicyEngine: by an engine that is not ours, each way to deploy admits Prometheus to 9253
// of its own pods, and nobody to anything else.
func TestPolicyEngine(t *testing.T) {
	rendered := map[string][]any{"operator": operated(t, build(t, source("deploy/k8s/operator")))}
	for _, name := range overlays(t) {
		rendered[name] = build(t, source("deploy/k8s/examples", name))
	}
	for kind, folder := range charts() {
		for _, way := range ways {
			rendered["helm "+kind+" "+way] = valuesFor(t, "prod", way).objects(t, folder)
		}
		rendered["post-render "+kind] = postRender(t, install{release: "prod", namespace: "gitlab-runner"}, folder)
	}
	for name, list := range rendered {
		g := gatedPod(t, one[appsv1.Deployment](t, list), list)
		policies := only[networkingv1.NetworkPolicy](list)
		for who, p := range neighbours() {
			for _, port := range []int{9252, 9253, 9254, 8093, 22} {
				if want := p.scrape == "200" && port == 9253; admits(policies, p.traffic(g, port)) != want {
					t.Errorf("%s: %s to port %d: admitted is %v", name, who, port, !want)
				}
			}
		}
	}
}

// TestPolicyEngineSeesHoles: the engine tells the classic mistakes.
func TestPolicyEngineSeesHoles(t *testing.T) {
	list := build(t, source("deploy/k8s/examples/mtls"))
	g := gatedPod(t, one[appsv1.Deployment](t, list), list)
	for name, c := range map[string]struct {
		who  string
		port int
		dig  func(*networkingv1.NetworkPolicy)
	}{
		"two items are OR": {"neighbour", 9253, func(np *networkingv1.NetworkPolicy) {
			from := np.Spec.Ingress[0].From[0]
			np.Spec.Ingress[0].From = []networkingv1.NetworkPolicyPeer{
				{NamespaceSelector: from.NamespaceSelector}, {PodSelector: from.PodSelector},
			}
		}},
		"no namespace is the policy's own": {"job that calls itself", 9253, func(np *networkingv1.NetworkPolicy) {
			np.Spec.Ingress[0].From[0].NamespaceSelector = nil
		}},
		"no from is everybody": {"job", 9253, func(np *networkingv1.NetworkPolicy) {
			np.Spec.Ingress[0].From = nil
		}},
		"no ports is every port": {"prometheus", 9252, func(np *networkingv1.NetworkPolicy) {
			np.Spec.Ingress[0].Ports = nil
		}},
		"another's pods": {"job", 9252, func(np *networkingv1.NetworkPolicy) {
			np.Spec.PodSelector.MatchLabels = map[string]string{"app": "other"}
		}},
	} {
		np := one[networkingv1.NetworkPolicy](t, list).DeepCopy()
		c.dig(np)
		if !admits([]*networkingv1.NetworkPolicy{np}, neighbours()[c.who].traffic(g, c.port)) {
			t.Errorf("%s: the engine does not see the hole", name)
		}
	}
}
