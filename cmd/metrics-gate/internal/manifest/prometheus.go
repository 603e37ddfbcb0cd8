package manifest

import (
	"strconv"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// scrapeConfig is the scrape_configs of Prometheus for the runner and the gate.
func scrapeConfig(c *config.Config, o printOptions) string {
	var b strings.Builder
	fields(&b, 0, "scrape_configs:")
	scrapeJob(c, &b, o, "gitlab-runner", "/metrics")
	scrapeJob(c, &b, o, "metrics-gate", "/gate/metrics")
	return b.String()
}

func scrapeJob(c *config.Config, b *strings.Builder, o printOptions, job, path string) {
	scheme := "https"
	if c.TLS.InsecureHTTP {
		scheme = "http"
	}
	fields(b, 0, "- job_name: "+job)
	fields(b, 2, "scheme: "+scheme, "metrics_path: "+path, "scrape_timeout: "+scrapeTimeout(c))
	certificate, bearer := scraper(c)
	if scheme == "https" {
		fields(b, 2, "tls_config:")
		fields(b, 4, "ca_file: "+quoted(o.files.CA))
		if certificate {
			fields(b, 4, "cert_file: "+quoted(o.files.Cert), "key_file: "+quoted(o.files.Key))
		}
		if name := serverName(c); name != "" {
			fields(b, 4, "server_name: "+quoted(name))
		}
	}
	if bearer {
		fields(b, 2, "authorization:", "  credentials_file: "+quoted(o.files.TokenFile))
	}
	fields(b, 2, "static_configs:", "- targets: ["+quoted(o.target)+"]")
}

// scrapeTimeout is what the gate may take for a scrape, as Prometheus writes durations.
func scrapeTimeout(c *config.Config) string {
	return promDuration(min(c.Upstream.Timeout, 10*time.Second))
}

// promDuration writes d as Prometheus reads durations: without fractions.
func promDuration(d time.Duration) string {
	if d%time.Second == 0 {
		return d.String()
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
}
