package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/expiry"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// visit is one request to the gate, as Prometheus would send it, with what is needed to judge the
// answer once doctor is the gate's user.
type visit struct {
	target   string // the URL, as it is shown
	unusable error  // of the files with the credentials: nothing was asked
	response *http.Response
	body     []byte
	err      error // of the request

	shown      []*x509.Certificate // the client's chain; nil without --cert
	nameAdvice string              // about a server's certificate with another name; empty if that is not it
	holder     string              // who listens there, if that is this machine; empty if unknown
	plain      *visit              // the same over plain HTTP, without credentials, where no TLS is spoken
}

// answer says who has answered.
func (v *visit) answer() client.Answer { return client.WhoAnswers(v.response, v.body) }

// held names who listens there, for the end of a finding; empty if unknown.
func (v *visit) held() string {
	if v.holder == "" {
		return ""
	}
	return "; there listens " + v.holder
}

// unanswered tells whether a connection was made, and nobody answered on it.
func (v *visit) unanswered() bool {
	if v.err == nil || client.NotConnected(v.err) {
		return false
	}
	reason := upstream.ReasonOf(v.err)
	return reason == upstream.ReasonTimeout || reason == upstream.ReasonReset
}

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

// otherCertificateError is a server's certificate that is not the one of TLS_CERT_FILE.
type otherCertificateError struct{ served, want *x509.Certificate }

// Error tells the certificates apart.
func (e *otherCertificateError) Error() string {
	return fmt.Sprintf("serves the certificate of %s, serial %x, and not that of %s, serial %x",
		strings.Join(client.Names(e.served), ", "), e.served.SerialNumber, strings.Join(client.Names(e.want), ", "),
		e.want.SerialNumber)
}

// transport trusts --ca; without it, exactly the certificate in TLS_CERT_FILE and no
// other. On this machine the name is that of the certificate: what Prometheus calls
// the gate cannot be known here.
func (d *doctor) transport() (*http.Transport, error) {
	transport, err := d.client.Transport()
	if err != nil {
		return nil, err
	}
	transport.DisableKeepAlives = true
	leaf := client.Leaf(d.config.TLS.CertFile)
	if leaf == nil {
		return transport, nil
	}
	if d.url == "" && d.client.ServerName == "" && len(leaf.DNSNames) > 0 {
		transport.TLSClientConfig.ServerName = leaf.DNSNames[0]
	}
	if d.client.CA == "" {
		transport.TLSClientConfig.InsecureSkipVerify = true // VerifyConnection is stricter
		transport.TLSClientConfig.VerifyConnection = func(s tls.ConnectionState) error {
			if !s.PeerCertificates[0].Equal(leaf) {
				return &otherCertificateError{s.PeerCertificates[0], leaf}
			}
			return nil
		}
	}
	return transport, nil
}

// visit asks the gate once, with the credentials if some are given. It judges nothing.
func (d *doctor) visit(ctx context.Context) *visit {
	target := d.target()
	v := &visit{target: cli.HideURL(target)}
	v.holder = d.holder(ctx, target)
	transport, err := d.transport()
	if err != nil {
		v.unusable = err
		return v
	}
	d.client.Plain = d.config.TLS.InsecureHTTP
	if v.unusable = d.client.CheckPlain(target); v.unusable != nil {
		return v
	}
	for _, pair := range transport.TLSClientConfig.Certificates {
		for _, der := range pair.Certificate {
			if c, err := x509.ParseCertificate(der); err == nil {
				v.shown = append(v.shown, c)
			}
		}
	}
	by := client.New(doctorTimeout + d.config.Upstream.Timeout)
	by.Transport = transport
	if d.client.TokenFile != "" {
		by.Transport = client.TokenTransport{RoundTripper: transport, Credentials: &d.client}
	}
	v.response, v.body, v.err = d.fetch(ctx, by, target, d.config.Upstream.MaxBytes*2)
	d.judgeName(v)
	if address, secure := strings.CutPrefix(target, "https:"); secure && noTLS(v.err) {
		address, _, _ = strings.Cut(address, "?") // may be secret
		v.plain = &visit{}
		v.plain.response, v.plain.body, v.plain.err = d.fetch(ctx, client.New(doctorTimeout), "http:"+address,
			d.config.Upstream.MaxBytes)
	}
	return v
}

// judgeName says what to do about a certificate with another name. One that is not that of the
// settings is another gate's, whatever it is called.
func (d *doctor) judgeName(v *visit) {
	v.nameAdvice, _ = d.client.NameAdvice(v.err)
	failed, isVerification := errors.AsType[*tls.CertificateVerificationError](v.err)
	want := client.Leaf(d.config.TLS.CertFile)
	if v.nameAdvice == "" || !isVerification || want == nil || want.Equal(failed.UnverifiedCertificates[0]) {
		return
	}
	v.err, v.nameAdvice = &otherCertificateError{failed.UnverifiedCertificates[0], want}, ""
}

// otherPort tells whether --url has another port than the settings.
func (d *doctor) otherPort() bool {
	u, err := url.Parse(d.url)
	return d.url != "" && err == nil && !d.outside && u.Port() != strconv.Itoa(int(d.config.Listen.Address.Port))
}

// holder names the process at the port of a URL of this machine.
func (d *doctor) holder(ctx context.Context, target string) string {
	u, err := url.Parse(target)
	if err != nil || !d.host.isHere(ctx, u.Hostname()) {
		return ""
	}
	for _, s := range d.host.listeners(u.Port()) {
		return d.host.held(s)
	}
	return ""
}

// fromOutside asks a gate of which no settings are here, and judges what a client of it can.
func (d *doctor) fromOutside(ctx context.Context) []cli.Finding {
	d.config, _ = config.Load(nil) // the defaults
	d.bound()
	v := d.visit(ctx)
	return slices.Concat(d.served(v), d.scraped(v), labelled(v), d.askPrometheus(ctx), []cli.Finding{
		cli.OK("left out: configuration, files, label, runner, exposure, firewall, issuers and limits can be judged " +
			"on the gate's host alone: run metrics-gate doctor there"),
	})
}

// served looks at the certificate that the gate has answered with.
func (d *doctor) served(v *visit) []cli.Finding {
	if v.response == nil || v.response.TLS == nil {
		return nil
	}
	leaf := v.response.TLS.PeerCertificates[0]
	left := leaf.NotAfter.Sub(d.now())
	return append(expiry.Findings([]expiry.Entry{{Role: "server", Subject: leaf.Subject.String(),
		NotAfter: leaf.NotAfter, Days: int(left.Hours() / 24)}}),
		cli.OK("certificate of the gate: for %s, issued by %s, until %s (%s)", strings.Join(client.Names(leaf), ", "),
			leaf.Issuer, leaf.NotAfter.Format(time.DateOnly), cli.HumanDuration(left)))
}

// labelled looks at what the gate has answered.
func labelled(v *visit) []cli.Finding {
	version := runnerVersion(v.body)
	if v.answer() != client.AnswerGate || v.response.StatusCode != 200 ||
		v.response.Request.URL.Path == "/gate/metrics" {
		return nil
	}
	if version == "" {
		return []cli.Finding{cli.Warn("run metrics-gate doctor on the gate's host: is its UPSTREAM_URL a runner?",
			"runner: the exposition is not of a gitlab-runner")}
	}
	name := regexp.MustCompile(`(?m)^gitlab_runner_version_info\{[^\n]*?\brunner_name="([^"\n]*)"`).FindSubmatch(v.body)
	if name == nil {
		return []cli.Finding{cli.OK("runner: version %s, without the label runner_name", version)}
	}
	return []cli.Finding{cli.OK("runner: version %s, every sample gets runner_name=%q", version, name[1])}
}
