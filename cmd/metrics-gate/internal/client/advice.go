package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/metrics-gate/metrics-gate/proxy/sockerr"
	"github.com/metrics-gate/metrics-gate/tlsconf"
)

// Advice is what to do about an error of a request to a gate; empty if it says all there is.
func (c *Credentials) Advice(err error) string {
	var unknown x509.UnknownAuthorityError
	nameAdvice, otherName := c.NameAdvice(err)
	_, alert := tlsconf.AlertOf(err)
	switch {
	case errors.As(err, &unknown):
		return c.adviceCA()
	case otherName:
		return nameAdvice
	case Expired(err):
		return AdviceExpired
	case errors.Is(err, http.ErrSchemeMismatch):
		return "no TLS is spoken there: see what listens there, and give it no token"
	case alert && !c.Given():
		return "the gate wants a client certificate: give --cert and --key, or --token-file if it takes tokens"
	case alert:
		return "the gate refuses the client certificate: its log says why"
	case sockerr.KindOf(err) == sockerr.Refused:
		return "nothing listens there: see that the gate runs, and its port"
	case ClosedPlain(err):
		return AdvicePlain
	case NotConnected(err):
		return AdviceNetwork
	}
	return ""
}

// AdviceExpired is for a gate whose certificate is not valid now.
const AdviceExpired = "renew the gate's certificate; if its dates are right, set the clock of this machine"

// Expired tells whether the gate's certificate is not valid now.
func Expired(err error) bool {
	var invalid x509.CertificateInvalidError
	return errors.As(err, &invalid) && invalid.Reason == x509.Expired
}

// AdviceNetwork is for a host that cannot be reached.
const AdviceNetwork = "correct the name or the address and the port, or let the firewall of the host pass it"

// NotConnected tells whether no connection was made: the name or the network is at fault.
func NotConnected(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// AdvicePlain is for plain HTTP where TLS is spoken.
const AdvicePlain = "write https://: a gate speaks plain HTTP only with INSECURE_HTTP"

// ClosedPlain tells whether the server closed a connection on which plain HTTP was spoken.
func ClosedPlain(err error) bool {
	asked, ok := errors.AsType[*url.Error](err)
	return ok && strings.HasPrefix(asked.URL, "http:") &&
		(errors.Is(err, io.EOF) || sockerr.KindOf(err) == sockerr.Closed)
}

// adviceCA is about a certificate of the gate whose CA is not trusted.
func (c *Credentials) adviceCA() string {
	if c.CA == "" {
		return "give the CA of the gate's certificate with --ca FILE"
	}
	return "the gate's certificate is of another CA than " + c.CA + ": give that one with --ca FILE"
}

// NameAdvice is what to do where err says that the gate's certificate has not the name that was
// asked for; ok is false for another error. The certificate may be of an unknown CA as well.
func (c *Credentials) NameAdvice(err error) (advice string, ok bool) {
	var name x509.HostnameError
	failed, isVerification := errors.AsType[*tls.CertificateVerificationError](err)
	if !isVerification || !errors.As(err, &name) || len(failed.UnverifiedCertificates) == 0 {
		return "", false
	}
	names := slices.Clone(failed.UnverifiedCertificates[0].DNSNames)
	if len(names) == 0 {
		names = Names(failed.UnverifiedCertificates[0])
	}
	if len(names) == 0 {
		return "issue the gate's certificate with a subjectAltName of its host", true
	}
	for i, name := range names { // a fleet may have one in common: which it is cannot be known here
		if domain, wild := strings.CutPrefix(name, "*."); wild {
			names[i] = "HOST." + domain
		}
	}
	use := "give --server-name " + strings.Join(names, " or ")
	if !c.trusts(failed.UnverifiedCertificates) {
		return use + "; " + c.adviceCA(), true
	}
	return "only the name differs: " + use + ", which the gate's certificate has", true
}

// trusts tells whether chain, leaf first, leads to a CA that these credentials trust.
func (c *Credentials) trusts(chain []*x509.Certificate) bool {
	config, err := c.tlsConfig()
	if err != nil {
		return false
	}
	options := x509.VerifyOptions{Roots: config.RootCAs, Intermediates: x509.NewCertPool()}
	for _, intermediate := range chain[1:] {
		options.Intermediates.AddCert(intermediate)
	}
	_, err = chain[0].Verify(options)
	return err == nil
}

// Names are the DNS names and addresses of a server's certificate.
func Names(leaf *x509.Certificate) []string {
	names := slices.Clone(leaf.DNSNames)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}
