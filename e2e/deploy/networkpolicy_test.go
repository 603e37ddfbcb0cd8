package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
)

// peer is a pod of the cluster that TestNetworkPolicy builds.
type peer struct {
	netns
	namespace string
	labels    map[string]string
	scrape    string // what a scrape of the gate comes to under the policy
}

// TestNetworkPolicy enforces the policy between namespaces as a network plugin does, from its
// own selectors: Prometheus reaches 9253, nobody 9252, and the node its probes' port.
func TestNetworkPolicy(t *testing.T) {
	np := one[networkingv1.NetworkPolicy](t, manifests(t, "policy", read(t, source("deploy/k8s/components/network-policy/networkpolicy.yaml"))))
	prometheus := map[string]string{"app.kubernetes.io/name": "prometheus"}
	node, pod := newNetns(t, "node"), newNetns(t, "pod")
	peers := map[string]*peer{
		"prometheus":            {namespace: "monitoring", labels: prometheus, scrape: "200"},
		"neighbour":             {namespace: "monitoring", labels: map[string]string{"app.kubernetes.io/name": "grafana"}, scrape: "exit 28"},
		"job":                   {namespace: "gitlab-runner", labels: map[string]string{"job": "1"}, scrape: "exit 28"},
		"job that calls itself": {namespace: "gitlab-runner", labels: prometheus, scrape: "exit 28"},
	}
	connect(t, &node, &pod, 0, "pod")
	good(t, "ip", "netns", "exec", node.name, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
	i := 0
	for _, p := range peers {
		i++
		p.netns = newNetns(t, fmt.Sprint("peer", i))
		gateway := node
		connect(t, &gateway, &p.netns, i, fmt.Sprint("peer", i))
	}
	s := newSite(t, pod, 65532, "ADMIN_ADDRESS=:9254")

	for name, p := range peers { // loopback alone keeps all of them from the runner
		if got := p.dial(t, pod.address+":9252"); got != "refused" {
			t.Errorf("no policy: %s to the runner: %s", name, got)
		}
		if got := s.scrape(t, p.netns, pod.address); got != "200" {
			t.Errorf("no policy: %s gets %s: the network does not work", name, got)
		}
	}
	forgotten := pod.listen(t, pod.address+":9252") // a runner that was not bound to loopback
	defer func() { _ = forgotten.Close() }()
	enforce(t, pod, node.address, np, peers)
	for name, p := range peers {
		if got := s.scrape(t, p.netns, pod.address); got != p.scrape {
			t.Errorf("%s gets %s from the gate, not %s", name, got, p.scrape)
		}
		for _, port := range []string{"9252", "9254"} {
			if got := p.dial(t, pod.address+":"+port); got != "lost" {
				t.Errorf("%s to port %s: %s", name, port, got)
			}
		}
	}
	if got := s.curl(t, node, 0, "http://"+pod.address+":9254/readyz"); got != "200" {
		t.Errorf("the kubelet's probe gets %s", got)
	}
}

// enforce drops what the policy does not list. A node reaches its own pods, whatever the policy.
func enforce(t *testing.T, pod netns, node string, np *networkingv1.NetworkPolicy, peers map[string]*peer) {
	t.Helper()
	var rules strings.Builder
	fmt.Fprintf(&rules, "table ip cni {\n chain input {\n  type filter hook input priority 0; policy accept;\n  ip saddr %s accept\n", node)
	for _, rule := range np.Spec.Ingress {
		if len(rule.From) == 0 || len(rule.Ports) == 0 {
			t.Fatalf("rule %+v admits everyone or every port", rule)
		}
		for _, p := range peers {
			for _, port := range rule.Ports {
				if admits(t, rule.From, np.Namespace, p) {
					fmt.Fprintf(&rules, "  ip saddr %s tcp dport %s accept\n", p.address, port.Port)
				}
			}
		}
	}
	rules.WriteString("  tcp flags & (syn | ack) == syn drop\n }\n}\n")
	path := filepath.Join(t.TempDir(), "cni.nft")
	if err := os.WriteFile(path, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	good(t, "ip", "netns", "exec", pod.name, tool(t, "nft"), "-f", path)
}

// admits: items of from are alternatives, selectors of one item hold together; no namespaceSelector is the policy's own namespace.
func admits(t *testing.T, from []networkingv1.NetworkPolicyPeer, own string, p *peer) bool {
	t.Helper()
	for _, item := range from {
		if item.IPBlock != nil {
			t.Fatal("ipBlock: not of this test's cluster")
		}
		namespace := p.namespace == own
		if item.NamespaceSelector != nil {
			namespace = selects(t, item.NamespaceSelector, map[string]string{"kubernetes.io/metadata.name": p.namespace})
		}
		if namespace && (item.PodSelector == nil || selects(t, item.PodSelector, p.labels)) {
			return true
		}
	}
	return false
}
