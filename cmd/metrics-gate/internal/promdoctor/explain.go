package promdoctor

import "regexp"

// explanation says what an error text of Prometheus means.
type explanation struct {
	pattern string // over the target's URL, ": " and its last error
	cause   string
	advice  string
}

// explanations returns the table of error texts. The first pattern that matches counts.
//
// The texts are those of Prometheus 2.42 (built with Go 1.19), of its 2.53 branch and of
// 3.14 (library v0.314.0): scrape/scrape.go, model/textparse/interface.go,
// prometheus/common/config/http_config.go, and of Go's net, net/http, crypto/tls and
// crypto/x509. Go 1.20 put "tls: failed to verify certificate: " before the texts of x509.
func explanations(g *Gate) []explanation {
	var all []explanation
	for _, part := range [][]explanation{
		fileErrors(g), certificateErrors(), handshakeErrors(g), statusErrors(g), refusalErrors(), limitErrors(),
		formatErrors(), networkErrors(),
	} {
		all = append(all, part...)
	}
	return all
}

// explain returns the meaning of lastError of a target of g at scrapeURL.
func explain(g *Gate, scrapeURL, lastError string) explanation {
	text := scrapeURL + ": " + lastError
	for _, e := range explanations(g) {
		if regexp.MustCompile(e.pattern).MatchString(text) {
			return e
		}
	}
	return explanation{cause: "the scrape fails with an error that doctor does not know",
		advice: "read the last error, and the gate's log at the time of the scrape"}
}

// fileErrors are of Prometheus' own credentials.
func fileErrors(g *Gate) []explanation {
	return []explanation{
		{`unable to (read|use specified|use) CA cert`, "Prometheus cannot use its ca_file",
			"let ca_file name a PEM file that Prometheus' user can read"},
		{`unable to (read specified|use specified|use|read) client (cert|key)`,
			"Prometheus cannot use its cert_file or key_file",
			"let cert_file and key_file name a pair of PEM files that Prometheus' user can read"},
		{`unable to (read|use) (authorization credentials|bearer token|credentials)`,
			"Prometheus cannot read its token file",
			"let credentials_file name a file that Prometheus' user can read"},
		{`unable to (read|use) (basic auth )?(username|password)`, "Prometheus cannot read its password file",
			"no gate takes basic_auth: write in its place " + g.lines()},
		{`oauth2: .*(invalid_client|unauthorized_client|access_denied|401|400|403)`,
			"the OAuth2 server refuses Prometheus' client_id or secret",
			"correct client_id, client_secret_file, scopes and token_url in oauth2"},
		{`oauth2: |unable to read oauth2 client secret`, "Prometheus gets no token from the OAuth2 server",
			"see that token_url in oauth2 is right and answers, and that client_secret_file can be read"},
		{`proxyconnect|Proxy Authentication Required`, "Prometheus' proxy does not connect it to the gate",
			"remove proxy_url, set no_proxy for the gate, or let the proxy connect to it"},
	}
}

// certificateErrors are of Prometheus when it verifies the gate's certificate.
func certificateErrors() []explanation {
	const name = "set server_name in tls_config to a name of the gate's certificate, or issue one for this address"
	return []explanation{
		{`x509: certificate signed by unknown authority|x509: .*certificate is not trusted`,
			"Prometheus does not trust the CA of the gate's certificate",
			"set ca_file in tls_config to the CA that issued the gate's certificate"},
		{`x509: certificate is valid for .*, not |x509: certificate is not valid for any names`,
			"the address that Prometheus dials is not in the gate's certificate", name},
		{`x509: cannot validate certificate for .* because it doesn't contain any IP SANs`,
			"the address that Prometheus dials is not in the gate's certificate", name},
		{`x509: certificate relies on legacy Common Name`, "the gate's certificate has no subjectAltName",
			"issue a certificate with a subjectAltName of the gate's host"},
		{`x509: certificate has expired or is not yet valid:.* is before`,
			"the gate's certificate is not valid yet",
			"set the clock of both machines, or issue a certificate that is valid now"},
		{`x509: certificate has expired`, "the gate's certificate is expired",
			"renew TLS_CERT_FILE; the gate loads it within 10 s"},
		{`x509: certificate specifies an incompatible key usage`, "the gate's certificate is not for servers",
			"issue a certificate with the extended key usage serverAuth"},
		{`x509: `, "Prometheus refuses the gate's certificate",
			"read the last error, and issue another certificate for the gate"},
	}
}

// handshakeErrors are alerts of the gate (RFC 8446 section 6.2), and two ends that do not
// speak the same protocol.
func handshakeErrors(g *Gate) []explanation {
	plain := "correct the host and the port of the target; " +
		"a gate with TLS is asked with scheme: https and its CA in ca_file"
	if g.Plain {
		plain = "set scheme: http in the job"
	}
	return []explanation{
		{`remote error: tls: (certificate required|handshake failure)`,
			"Prometheus presents no client certificate, and the gate requires one",
			"set cert_file and key_file in tls_config"},
		{`remote error: tls: unknown certificate authority`,
			"the client certificate of Prometheus is not issued by a CA that the gate trusts",
			"let cert_file be a certificate of a CA in TLS_CLIENT_CA_FILE"},
		{`remote error: tls: expired certificate`, "the client certificate of Prometheus is expired",
			"renew cert_file; Prometheus reads it again at the next connection"},
		{`remote error: tls: (bad|revoked|unsupported|unknown) certificate|remote error: tls: access denied`,
			"the gate refuses the client certificate of Prometheus: it is revoked, not for clients, or its " +
				"revocation list is stale",
			"read the reason in the gate's log; issue a certificate with the usage clientAuth, or publish a new list"},
		{`remote error: tls: protocol version|server selected unsupported protocol version|no supported versions`,
			"Prometheus and the gate share no TLS version",
			"remove max_version from tls_config, or set TLS_MIN_VERSION=1.2 at the gate"},
		{`remote error: tls: unrecognized name`, "the server at this address does not know server_name",
			"correct server_name in tls_config"},
		{`server gave HTTP response to HTTPS client|first record does not look like a TLS handshake`,
			"Prometheus speaks TLS, and what listens there speaks plain HTTP",
			plain},
		{`malformed HTTP (response|version|status)|^http://[^ ]*: (server returned HTTP status 400|.*: EOF$)`,
			"Prometheus speaks plain HTTP, and the gate speaks TLS", "set scheme: https in the job"},
		{`remote error: tls: `, "the gate ends the handshake with an alert",
			"see the line about this address in the gate's log"},
	}
}
