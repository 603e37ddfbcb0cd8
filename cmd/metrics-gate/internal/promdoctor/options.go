// Package promdoctor asks a Prometheus server why a gate's metrics are missing. It reads
// the server's HTTP API (/api/v1) and changes nothing.
package promdoctor

import (
	"errors"
	"flag"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

// askTimeout bounds each request to Prometheus.
const askTimeout = 10 * time.Second

// flagPrefix begins the name of each flag of Options but --prometheus itself.
const flagPrefix = "prometheus-"

// Options say where Prometheus is and how to authenticate there. All credentials are files.
type Options struct {
	URL       string // of Prometheus, with its route prefix; empty: do not ask
	BasicFile string // "user:password" on one line
	client    client.Credentials
}

// RegisterFlags adds --prometheus and the flags of its credentials to set.
func (o *Options) RegisterFlags(set *flag.FlagSet) {
	set.StringVar(&o.URL, "prometheus", "", "`URL` or host:port of a Prometheus: why are the gate's metrics "+
		"missing there?")
	set.StringVar(&o.client.CA, flagPrefix+"ca", "", "`file` with the CA of Prometheus' certificate (PEM)")
	set.StringVar(&o.client.Cert, flagPrefix+"cert", "", "`file` with a client certificate for Prometheus (PEM)")
	set.StringVar(&o.client.Key, flagPrefix+"key", "", "`file` with its key (PEM)")
	set.StringVar(&o.client.TokenFile, flagPrefix+"token-file", "", "`file` with a bearer token for Prometheus")
	set.StringVar(&o.BasicFile, flagPrefix+"basic-file", "", "`file` with user:password for Prometheus")
}

// defaultPort is the port of a Prometheus.
const defaultPort = "9090"

// Validate returns a *cli.ConfigError for flags that contradict each other. It makes HOST[:PORT] a
// URL of plain HTTP, with port 9090 unless another is given.
func (o *Options) Validate() error {
	if o.URL != "" && !strings.Contains(o.URL, "://") {
		o.URL = "http://" + o.URL
		if u, err := url.Parse(o.URL); err == nil && u.Port() == "" && u.Host != "" {
			u.Host = net.JoinHostPort(u.Hostname(), defaultPort)
			o.URL = u.String()
		}
	}
	credentials := o.BasicFile != "" || o.client != client.Credentials{}
	u, err := url.Parse(o.URL)
	switch {
	case o.URL == "" && credentials:
		return &cli.ConfigError{Thing: "--" + flagPrefix + "…", Wrong: "needs --prometheus",
			Advice: "give the URL of Prometheus with --prometheus"}
	case o.URL == "":
		return nil
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "",
		cli.HideToken(u.Hostname()) != u.Hostname(): // a resolver must not be asked for a token
		return &cli.ConfigError{
			Thing:  "--prometheus",
			Wrong:  "not HOST:PORT, nor an http or https URL without user, password and query",
			Advice: "write it as in a browser: --prometheus https://prometheus.example.com",
		}
	case (o.client.Cert == "") != (o.client.Key == ""):
		return &cli.ConfigError{Thing: "--" + flagPrefix + "cert",
			Wrong: "needs --" + flagPrefix + "key, and the reverse", Advice: "give both"}
	case o.BasicFile != "" && o.client.TokenFile != "":
		return &cli.ConfigError{Thing: "--" + flagPrefix + "basic-file",
			Wrong: "excludes --" + flagPrefix + "token-file", Advice: "give one of them"}
	}
	return nil
}

// checkPlain refuses to send a token or a password over plain HTTP, to this machine too: any process
// could listen there and take it.
func (o *Options) checkPlain() error {
	name, file := "token-file", o.client.TokenFile
	if o.BasicFile != "" {
		name, file = "basic-file", hidePassword(o.BasicFile)
	}
	if u, err := url.Parse(o.URL); file == "" || (err == nil && u.Scheme == "https") {
		return nil
	}
	return &cli.ConfigError{Thing: "--" + flagPrefix + name, Value: file, Wrong: "not sent over plain HTTP",
		Advice: "write https:// in --prometheus; any process could listen there and take it"}
}

// httpClient returns a client with the credentials. Its errors name the flag.
func (o *Options) httpClient() (*http.Client, error) {
	if err := o.checkPlain(); err != nil {
		return nil, err
	}
	transport, err := o.client.Transport()
	if err != nil {
		return nil, flagError(err)
	}
	transport.DisableKeepAlives = true
	c := client.New(askTimeout)
	c.Transport = transport
	switch {
	case o.client.TokenFile != "":
		c.Transport = client.TokenTransport{RoundTripper: transport, Credentials: &o.client}
	case o.BasicFile != "":
		user, password, err := o.basic()
		if err != nil {
			return nil, err
		}
		c.Transport = basicTransport{transport, user, password}
	}
	return c, nil
}

// flagError renames a flag of client.Credentials to the one of Options.
func flagError(err error) error {
	var wrong *cli.ConfigError
	if !errors.As(err, &wrong) {
		return err
	}
	renamed := *wrong
	renamed.Thing = "--" + flagPrefix + strings.TrimPrefix(wrong.Thing, "--")
	return &renamed
}

// hidePassword is the path of a file for an error, without the password of user:password given in its
// place.
func hidePassword(path string) string {
	drive := filepath.VolumeName(path)
	if user, _, found := strings.Cut(path[len(drive):], ":"); found {
		return drive + user + ":…"
	}
	return path
}

// basic reads user and password (RFC 7617).
func (o *Options) basic() (user, password string, err error) {
	thing := "--" + flagPrefix + "basic-file"
	text, err := safefile.Read(o.BasicFile, safefile.Rule{MaxBytes: 1 << 16, Public: true})
	if err != nil {
		wrong := cli.Reason(err)
		if file, ok := errors.AsType[*safefile.Error](err); ok {
			wrong = file.Err.Error() // without the path, which may be a secret given in its place
		}
		return "", "", &cli.ConfigError{Thing: thing, Value: hidePassword(o.BasicFile), Wrong: wrong}
	}
	user, password, ok := strings.Cut(strings.TrimRight(string(text), "\r\n"), ":")
	if !ok || strings.ContainsAny(user+password, "\r\n") {
		return "", "", &cli.ConfigError{Thing: thing, Value: o.BasicFile, Wrong: "not user:password on one line"}
	}
	return user, password, nil
}

// basicTransport adds user and password to each request.
type basicTransport struct {
	http.RoundTripper
	user, password string
}

// RoundTrip implements http.RoundTripper.
func (t basicTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.SetBasicAuth(t.user, t.password)
	return t.RoundTripper.RoundTrip(r)
}
