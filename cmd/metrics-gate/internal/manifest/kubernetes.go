package manifest

import (
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// podMonitor is the PodMonitor of prometheus-operator, for a container port "metrics-gate".
func podMonitor(c *config.Config, o printOptions) string {
	var b strings.Builder
	label, value, _ := strings.Cut(o.selector, "=")
	fields(&b, 0, "apiVersion: monitoring.coreos.com/v1", "kind: PodMonitor", "metadata:")
	fields(&b, 2, "name: metrics-gate")
	fields(&b, 0, "spec:")
	fields(&b, 2, "selector:", "  matchLabels:", "    "+quoted(label)+": "+quoted(value), "podMetricsEndpoints:")
	podEndpoint(c, &b, o, "/metrics")
	podEndpoint(c, &b, o, "/gate/metrics")
	return b.String()
}

func podEndpoint(c *config.Config, b *strings.Builder, o printOptions, path string) {
	scheme := "https"
	if c.TLS.InsecureHTTP {
		scheme = "http"
	}
	fields(b, 2, "- port: metrics-gate", "  path: "+path, "  scheme: "+scheme, "  scrapeTimeout: "+scrapeTimeout(c))
	certificate, bearer := scraper(c)
	if scheme == "https" {
		fields(b, 4, "tlsConfig:", "  ca:", "    secret: {name: "+quoted(o.secret)+", key: ca.crt}")
		if certificate {
			fields(b, 6, "cert:", "  secret: {name: "+quoted(o.secret)+", key: tls.crt}",
				"keySecret: {name: "+quoted(o.secret)+", key: tls.key}")
		}
		if name := serverName(c); name != "" {
			fields(b, 6, "serverName: "+quoted(name))
		}
	}
	if bearer {
		fields(b, 4, "authorization:", "  credentials: {name: "+quoted(o.secret)+", key: token}")
	}
}

// networkPolicy lets Prometheus reach the gate, and nobody anything else of the pod:
// the runner's port and the admin port close by omission. Both selectors stand in one
// item, so both must match. Policies add up: another one can open 9252 again.
func networkPolicy(c *config.Config, o printOptions) string {
	var b strings.Builder
	label, value, _ := strings.Cut(o.selector, "=")
	fields(&b, 0, "apiVersion: networking.k8s.io/v1", "kind: NetworkPolicy", "metadata:", "  name: metrics-gate",
		"spec:")
	fields(&b, 2, "podSelector:", "  matchLabels:", "    "+quoted(label)+": "+quoted(value), "policyTypes: [Ingress]",
		"ingress:")
	fields(&b, 2, "- from:",
		"  - namespaceSelector:", "      matchLabels:", "        kubernetes.io/metadata.name: "+quoted(o.namespace),
		"    podSelector:", "      matchLabels:", "        app.kubernetes.io/name: prometheus",
		"  ports:", "  - protocol: TCP", "    port: "+port(c))
	return b.String()
}
