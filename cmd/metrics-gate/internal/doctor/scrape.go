package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// target is the URL of the gate's metrics: as asked for, or on this machine.
func (d *doctor) target() string {
	if d.url != "" {
		if u, err := url.Parse(d.url); err == nil && (u.Path == "" || u.Path == "/") {
			return u.JoinPath("metrics").String()
		}
		return d.url
	}
	scheme := "https"
	if d.config.TLS.InsecureHTTP {
		scheme = "http"
	}
	return scheme + "://" + d.config.Listen.Address.DialAddress() + "/metrics"
}

// gateClient trusts --ca; without it, exactly the certificate in TLS_CERT_FILE and no
// other. On this machine the name is that of the certificate: what Prometheus calls
// the gate cannot be known here.
func (d *doctor) gateClient() (*http.Client, error) {
	transport, err := d.client.Transport()
	if err != nil {
		return nil, err
	}
	transport.DisableKeepAlives = true
	leaf := client.Leaf(d.config.TLS.CertFile)
	if leaf != nil && d.url == "" && len(leaf.DNSNames) > 0 {
		transport.TLSClientConfig.ServerName = leaf.DNSNames[0]
	}
	if d.client.CA == "" && leaf != nil {
		transport.TLSClientConfig.InsecureSkipVerify = true // VerifyConnection is stricter
		transport.TLSClientConfig.VerifyConnection = func(s tls.ConnectionState) error {
			if !s.PeerCertificates[0].Equal(leaf) {
				return errors.New("the gate serves another certificate than " + config.Prefix + "TLS_CERT_FILE holds")
			}
			return nil
		}
	}
	client := client.New(doctorTimeout + d.config.Upstream.Timeout)
	client.Transport = transport
	return client, nil
}

// scrape asks the gate as Prometheus would: with the credentials given, and with none,
// which must be refused.
func (d *doctor) scrape(ctx context.Context) []cli.Finding {
	target := d.target()
	client, err := d.gateClient()
	if err != nil {
		return []cli.Finding{cli.Fail("give the files that Prometheus has", "scrape: %v", err)}
	}
	if !d.client.Given() {
		response, _, err := d.ask(ctx, client, target, false)
		return []cli.Finding{d.withoutCredentials(target, response, err)}
	}
	response, body, err := d.ask(ctx, client, target, true)
	if err != nil {
		return []cli.Finding{d.unreached(target, err)}
	}
	switch response.StatusCode {
	case http.StatusOK:
		return []cli.Finding{cli.OK("scrape %s: 200 with these credentials, %d bytes, %d samples", target, len(body),
			countSamples(body))}
	case http.StatusUnauthorized:
		return []cli.Finding{cli.Fail("the gate's log says why (authentication refused); see that the certificate's "+
			"CA or the token is the gate's", "scrape %s: 401, the gate does not know these credentials", target)}
	case http.StatusForbidden:
		return []cli.Finding{cli.Fail("add the identity that the gate's log names to "+config.Prefix+"METRICS_ALLOW",
			"scrape %s: 403, known and not allowed", target)}
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return []cli.Finding{cli.Fail("see the runner's line above",
			"scrape %s: %s, let in, but the runner gave nothing", target, response.Status)}
	}
	return []cli.Finding{cli.Fail("see the gate's log", "scrape %s: %s", target, response.Status)}
}

// ask sends one request, with the token when asked to.
func (d *doctor) ask(ctx context.Context, by *http.Client, target string, known bool) (*http.Response, []byte, error) {
	if known && d.client.TokenFile != "" {
		by.Transport = client.TokenTransport{RoundTripper: by.Transport, Credentials: &d.client}
	}
	return d.fetch(ctx, by, target, d.config.Upstream.MaxBytes*2)
}

// withoutCredentials judges what a caller without credentials got.
func (d *doctor) withoutCredentials(target string, response *http.Response, err error) cli.Finding {
	const try = "give --cert and --key or --token-file to try Prometheus' own credentials"
	switch {
	case err != nil && upstream.ReasonOf(err) == upstream.ReasonRefused:
		return d.unreached(target, err)
	case refusedByTLS(err) && d.config.Uses(auth.MethodCertificate) && !d.config.HasBearer():
		return cli.Finding{Level: cli.LevelOK, What: "gate " + target + ": refuses a caller without a certificate",
			Do: try}
	case err != nil:
		return d.unreached(target, err)
	case response.StatusCode == http.StatusUnauthorized, response.StatusCode == http.StatusTooManyRequests:
		return cli.Finding{Level: cli.LevelOK,
			What: "gate " + target + ": answers, and " + response.Status + " without credentials", Do: try}
	}
	return cli.Fail("see what listens there: this is no metrics-gate", "gate %s: %s without credentials", target,
		response.Status)
}

// unreached says why no answer came.
func (d *doctor) unreached(target string, err error) cli.Finding {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	switch {
	case upstream.ReasonOf(err) == upstream.ReasonRefused && !d.client.Given():
		return cli.Warn("start it with this configuration", "gate %s: not running", target)
	case upstream.ReasonOf(err) == upstream.ReasonRefused:
		return cli.Fail("start it with this configuration", "gate %s: not running", target)
	case errors.As(err, &unknown):
		return cli.Fail("give the CA that issued "+cmp.Or(d.config.TLS.CertFile, "the gate's certificate")+
			", here and as Prometheus' ca_file", "gate %s: its certificate was issued by another CA than --ca", target)
	case errors.As(err, &name):
		return cli.Fail("put the name into the certificate, or set server_name in Prometheus' tls_config",
			"gate %s: %v", target, name)
	case refusedByTLS(err):
		return cli.Fail("show a certificate of "+config.Prefix+"TLS_CLIENT_CA_FILE with the clientAuth usage",
			"gate %s: the handshake refuses this client (%v)", target, err)
	}
	return cli.Fail("see the gate's log", "gate %s: %v", target, err)
}

// refusedByTLS tells whether the server ended the handshake or the connection: it wants
// another client certificate. An alert comes as an error of crypto/tls's "remote error".
func refusedByTLS(err error) bool {
	remote, ok := errors.AsType[*net.OpError](err)
	return upstream.ReasonOf(err) == upstream.ReasonReset || (ok && remote.Op == "remote error")
}

// countSamples counts the lines of a text exposition that are samples.
func countSamples(body []byte) (n int) {
	for line := range strings.Lines(string(body)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			n++
		}
	}
	return n
}
