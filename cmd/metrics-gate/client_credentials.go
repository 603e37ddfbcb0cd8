package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// leafOf parses the first certificate of a PEM file.
func leafOf(path string) *x509.Certificate {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return leaf
}

// tokenTransport adds the token of a file to each request.
type tokenTransport struct {
	http.RoundTripper
	credentials *credentials
}

// RoundTrip implements http.RoundTripper.
func (t tokenTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if err := t.credentials.authorize(r); err != nil {
		return nil, err
	}
	return t.RoundTripper.RoundTrip(r)
}

// credentials are a client's at a gate, in files as Prometheus has them.
type credentials struct{ ca, cert, key, tokenFile string }

func (c *credentials) flags(set *flag.FlagSet) {
	set.StringVar(&c.ca, "ca", "", "`file` with the authority of the gate's certificate (PEM)")
	set.StringVar(&c.cert, "cert", "", "`file` with a client certificate (PEM)")
	set.StringVar(&c.key, "key", "", "`file` with its key (PEM)")
	set.StringVar(&c.tokenFile, "token-file", "", "`file` with a bearer token")
}

// given tells whether there is anything to prove an identity with.
func (c *credentials) given() bool { return c.cert != "" || c.tokenFile != "" }

func (c *credentials) validate(command string) error {
	if (c.cert == "") != (c.key == "") {
		return &cli.ConfigError{Thing: command, Wrong: "--cert and --key go together", Advice: "give both, or --token-file"}
	}
	return nil
}

// tlsConfig trusts the authorities of the CA file, or the system's, and shows the certificate.
func (c *credentials) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.ca != "" {
		pem, err := os.ReadFile(c.ca)
		if err != nil {
			return nil, &cli.ConfigError{Thing: "--ca", Value: c.ca, Wrong: cli.Reason(err)}
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, &cli.ConfigError{Thing: "--ca", Value: c.ca, Wrong: "no PEM certificate in it"}
		}
	}
	if c.cert != "" {
		pair, err := tls.LoadX509KeyPair(c.cert, c.key)
		if err != nil {
			return nil, &cli.ConfigError{Thing: "--cert", Value: c.cert, Wrong: cli.Reason(err)}
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// token reads the bearer token; empty if there is none.
func (c *credentials) token() (string, error) {
	if c.tokenFile == "" {
		return "", nil
	}
	text, err := os.ReadFile(c.tokenFile)
	if err != nil {
		return "", &cli.ConfigError{Thing: "--token-file", Value: c.tokenFile, Wrong: cli.Reason(err)}
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsAny(token, "\r\n\t ") {
		return "", &cli.ConfigError{Thing: "--token-file", Value: c.tokenFile, Wrong: "not one token on one line"}
	}
	return token, nil
}

// authorize puts the token, if there is one, into r. It refuses to send it in the clear.
func (c *credentials) authorize(r *http.Request) error {
	token, err := c.token()
	if err != nil || token == "" {
		return err
	}
	if r.URL.Scheme != "https" && !loopbackName(r.URL.Hostname()) {
		return fmt.Errorf("%s: a token is not sent over plain HTTP", r.URL.Redacted())
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return nil
}

// transport is an http.Transport for these credentials, without proxies.
func (c *credentials) transport() (*http.Transport, error) {
	config, err := c.tlsConfig()
	if err != nil {
		return nil, err
	}
	return &http.Transport{TLSClientConfig: config}, nil
}
