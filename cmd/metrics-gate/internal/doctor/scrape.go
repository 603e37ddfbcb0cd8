package doctor

import (
	"crypto/x509"
	"errors"
	"net/http"
	"strings"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// scraped judges what Prometheus would get: with the credentials given, or with none, which must
// be refused.
func (d *doctor) scraped(v *visit) []cli.Finding {
	if v.unusable != nil {
		return cli.ErrorFindings(v.unusable, "give the files that Prometheus has")
	}
	found := d.verdict(v)
	if v.holder != "" && d.otherPort() {
		return []cli.Finding{found, cli.Warn("correct the port of --url, or name that gate with --unit or --pid",
			"gate %s: these settings have port %d, and there listens %s", v.target, d.config.Listen.Address.Port,
			v.holder)}
	}
	return []cli.Finding{found}
}

// verdict judges one visit.
func (d *doctor) verdict(v *visit) cli.Finding {
	switch {
	case v.plain != nil:
		what, do := v.plain.answer().What()
		if v.plain.answer() == client.AnswerGate {
			what, do = d.plainGate()
		}
		return cli.Fail(do, "gate %s: no TLS is spoken there: %s%s", v.target, what, v.held())
	case client.ClosedPlain(v.err), v.err == nil && v.response.TLS == nil &&
		v.response.StatusCode == http.StatusBadRequest:
		return cli.Fail(client.AdvicePlain, "gate %s: no plain HTTP is spoken there", v.target)
	case d.settings.Stopped != "" && v.holder != "" && !d.otherPort() && v.unanswered():
		return cli.Fail("journalctl -u "+d.settings.Stopped+" says why; systemctl start is no cure for bad settings",
			"gate %s: systemd's socket waits for the gate, and %s does not run", v.target, d.settings.Stopped)
	case v.err != nil && !d.client.Given():
		return d.unreachedWithoutCredentials(v)
	case v.err != nil:
		return d.unreached(v)
	case v.answer() != client.AnswerGate:
		what, do := v.answer().What()
		return cli.Fail(do, "gate %s: %s: %s%s", v.target, v.response.Status, what, v.held())
	case !d.client.Given():
		return withoutCredentials(v)
	}
	return d.answered(v)
}

// plainGate is about what answers plain HTTP as a gate does, where TLS is to be. Any user of a
// machine can do so: it gets no credentials.
func (d *doctor) plainGate() (what, do string) {
	switch {
	case d.config.TLS.InsecureHTTP:
		return "a gate with INSECURE_HTTP answers", "write http://"
	case d.outside:
		return "what looks like a gate with INSECURE_HTTP answers", "see what listens there; run metrics-gate " +
			"doctor on the gate's host"
	}
	return "not this gate, whose settings have TLS", "see what listens there, and give it no token"
}

// answered judges the gate's answer to the credentials.
func (d *doctor) answered(v *visit) cli.Finding {
	switch v.response.StatusCode {
	case http.StatusOK:
		return cli.OK("scrape %s: 200 with these credentials, %d bytes, %d samples", v.target, len(v.body),
			countSamples(v.body))
	case http.StatusUnauthorized:
		if refused := d.refusedCertificate(v); refused != nil {
			return *refused
		}
		return cli.Fail("the gate's log says why (authentication refused); see that the certificate's "+
			"CA or the token is the gate's", "scrape %s: 401, the gate does not know these credentials", v.target)
	case http.StatusForbidden:
		return d.forbidden(v)
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		do := "see the runner's line above"
		if d.outside {
			do = "run metrics-gate doctor on the gate's host"
		}
		return cli.Fail(do, "scrape %s: %s, let in, but the runner gave nothing", v.target, v.response.Status)
	}
	return cli.Fail("see the gate's log", "scrape %s: %s", v.target, v.response.Status)
}

// tryCredentials is what to do after a visit without credentials.
const tryCredentials = "give --cert and --key or --token-file to try Prometheus' own credentials " +
	"(without them each doctor leaves one refusal in the gate's log and on its status page)"

// withoutCredentials judges what a gate answered to a caller without credentials.
func withoutCredentials(v *visit) cli.Finding {
	switch v.response.StatusCode {
	case http.StatusUnauthorized, http.StatusTooManyRequests:
		return cli.Finding{Level: cli.LevelOK, Do: tryCredentials,
			What: "gate " + v.target + ": answers, and " + v.response.Status + " without credentials"}
	}
	return cli.Fail("see what listens there: this is no metrics-gate", "gate %s: %s without credentials", v.target,
		v.response.Status)
}

// unreachedWithoutCredentials judges an error: it is well that a gate with certificates alone
// refuses the handshake.
func (d *doctor) unreachedWithoutCredentials(v *visit) cli.Finding {
	certificates := d.config.Uses(auth.MethodCertificate) && !d.config.HasBearer() && refusedByTLS(v.err)
	if certificates || (d.outside && wantsCertificate(v.err)) {
		return cli.Finding{Level: cli.LevelOK, Do: tryCredentials,
			What: "gate " + v.target + ": refuses a caller without a certificate"}
	}
	return d.unreached(v)
}

// unreached says why no answer came.
func (d *doctor) unreached(v *visit) cli.Finding {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var other *otherCertificateError
	switch {
	case upstream.ReasonOf(v.err) == upstream.ReasonRefused:
		do, level := "start it with this configuration", cli.LevelFail
		if d.outside {
			do = "start the gate; see its LISTEN_ADDRESS and port, and the firewall"
		} else if !d.client.Given() {
			level = cli.LevelWarn
		}
		return cli.Finding{Level: level, What: "gate " + v.target + ": not running", Do: do}
	case errors.As(v.err, &unknown) && d.client.CA == "":
		return cli.Fail("give the CA of the gate's certificate with --ca FILE, and as Prometheus' ca_file",
			"gate %s: its certificate was issued by a CA that this system does not trust", v.target)
	case errors.As(v.err, &unknown):
		return cli.Fail("give the CA that issued the gate's certificate, here and as Prometheus' ca_file",
			"gate %s: its certificate was issued by another CA than --ca", v.target)
	case v.nameAdvice != "":
		errors.As(v.err, &name)
		return cli.Fail(
			v.nameAdvice+"; Prometheus needs it as server_name in tls_config",
			"gate %s: %v",
			v.target,
			name,
		)
	case client.Expired(v.err):
		return cli.Fail(client.AdviceExpired, "gate %s: %v", v.target, v.err)
	case errors.As(v.err, &other):
		return cli.Fail("see that it is this gate, and not another one, at the port; if it is, it has not loaded the "+
			"new certificate: its log says why", "gate %s: another certificate than %sTLS_CERT_FILE holds: it %v%s",
			v.target, config.Prefix, other, v.held())
	case refusedByTLS(v.err):
		return d.handshakeRefused(v)
	case client.NotConnected(v.err):
		return cli.Fail(client.AdviceNetwork, "gate %s: %v", v.target, v.err)
	}
	return cli.Fail("see the gate's log", "gate %s: %v%s", v.target, v.err, v.held())
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
