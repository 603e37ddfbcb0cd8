package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// peer is a pod of the cluster that TestNetworkPolicy builds.
type peer struct {
	netns
	namespace string
	labels    map[string]string
	scrape    string // what a scrape of the gate comes to under the policy
}

// neighbours are the pods that a gate's policy has to tell apart.
func neighbours() map[string]*peer {
	prometheus := map[string]string{"app.kubernetes.io/name": "prometheus"}
	return map[string]*peer{
		"prometheus": {namespace: "monitoring", labels: prometheus, scrape: "200"},
		"neighbour": {
			namespace: "monitoring",
			labels:    map[string]string{"app.kubernetes.io/name": "grafana"},
			scrape:    "exit 28",
		},
		"job":                   {namespace: "gitlab-runner", labels: map[string]string{"job": "1"}, scrape: "exit 28"},
		"job that calls itself": {namespace: "gitlab-runner", labels: prometheus, scrape: "exit 28"},
	}
}

// TestNetworkPolicy enforces the policy between namespaces as a network plugin does: Prometheus
// reaches 9253, nobody 9252, and the node its probes' port.
func TestNetworkPolicy(t *testing.T) {
	list := build(t, source("deploy/k8s/examples/mtls"))
	np, g := one[networkingv1.NetworkPolicy](t, list), gatedPod(t, one[appsv1.Deployment](t, list), list)
	node, pod := newNetns(t, "node"), newNetns(t, "pod")
	peers := neighbours()
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
	enforce(t, pod, node.address, g, np, peers)
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

// enforce drops what the policy does not admit. A node reaches its own pods, whatever the policy.
func enforce(t *testing.T, pod netns, node string, g gated, np *networkingv1.NetworkPolicy, peers map[string]*peer) {
	t.Helper()
	var rules strings.Builder
	fmt.Fprintf(
		&rules,
		"table ip cni {\n chain input {\n  type filter hook input priority 0; policy accept;\n  ip saddr %s accept\n",
		node,
	)
	for _, p := range peers {
		for _, port := range []int{9252, 9253, 9254} {
			if admits([]*networkingv1.NetworkPolicy{np}, p.traffic(g, port)) {
				fmt.Fprintf(&rules, "  ip saddr %s tcp dport %d accept\n", p.address, port)
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
