package client

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/loopback"
	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

// maxFile bounds the files of a client, in bytes.
const maxFile = 4 << 20

// read returns the content of a client's file. Its mode does not matter here: the gate
// decides who gets in, and not this file.
func read(path string) ([]byte, error) {
	return safefile.Read(path, safefile.Rule{MaxBytes: maxFile, Public: true})
}

// readRoots returns the CAs of a PEM bundle, whole or not at all.
func readRoots(path string) (*x509.CertPool, error) {
	content, err := read(path)
	if err != nil {
		return nil, err
	}
	list, err := safefile.Certificates(path, content)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	for _, c := range list {
		roots.AddCert(c)
	}
	return roots, nil
}

// adviceDenied is for a client's file that may not be read.
const adviceDenied = "it is read as the user of this command, not of the gate"

// fileError blames a flag for its file.
func fileError(name, path string, err error) error {
	wrong := &cli.ConfigError{Thing: name, Value: path, Wrong: cli.Reason(err)}
	var file *safefile.Error
	if errors.As(err, &file) {
		wrong.Wrong, wrong.Advice = file.Err.Error(), file.Advice
	}
	if errors.Is(err, fs.ErrPermission) {
		wrong.Advice = adviceDenied
	}
	return wrong
}

// Leaf parses the first certificate of a PEM file.
func Leaf(path string) *x509.Certificate {
	text, err := read(path)
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

// TokenTransport adds the token of a file to each request.
type TokenTransport struct {
	http.RoundTripper
	Credentials *Credentials
}

// RoundTrip implements http.RoundTripper.
func (t TokenTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if err := t.Credentials.authorize(r); err != nil {
		return nil, err
	}
	return t.RoundTripper.RoundTrip(r)
}

// Credentials are a client's at a gate, in files as Prometheus has them.
type Credentials struct {
	CA, Cert, Key, TokenFile string
	ServerName               string // in the gate's certificate; empty: the host of the URL

	Plain bool // the gate's settings are here, and have INSECURE_HTTP: see CheckPlain
}

func (c *Credentials) RegisterFlags(set *flag.FlagSet) {
	set.StringVar(&c.CA, "ca", "", "`file` with the CA of the gate's certificate (PEM)")
	set.StringVar(&c.Cert, "cert", "", "`file` with a client certificate (PEM)")
	set.StringVar(&c.Key, "key", "", "`file` with its key (PEM)")
	set.StringVar(&c.TokenFile, "token-file", "", "`file` with a bearer token")
	set.StringVar(&c.ServerName, "server-name", "", "`name` in the gate's certificate (default: the host of the URL)")
}

// Given tells whether there is anything to prove an identity with.
func (c *Credentials) Given() bool { return c.Cert != "" || c.TokenFile != "" }

func (c *Credentials) Validate(command string) error {
	if (c.Cert == "") != (c.Key == "") {
		return &cli.ConfigError{Thing: command, Wrong: "--cert and --key go together",
			Advice: "give both, or --token-file"}
	}
	return nil
}

// tlsConfig trusts the CAs of the CA file, or the system's, and shows the certificate.
func (c *Credentials) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName}
	var found cli.ConfigErrors
	if c.CA != "" {
		roots, err := readRoots(c.CA)
		if err != nil {
			found.Join(fileError("--ca", c.CA, err))
		}
		config.RootCAs = roots
	}
	if c.Cert != "" {
		pair, err := tlsconf.LoadPair(c.Cert, c.Key)
		if err != nil {
			found.Join(pairErrors(c, err))
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, found.Err()
}

// pairErrors names the flag behind each file of a pair that cannot be used.
func pairErrors(c *Credentials, err error) error {
	files := tlsconf.FileErrors(err)
	if len(files) == 0 {
		return fileError("--cert", c.Cert, err)
	}
	var found cli.ConfigErrors
	for _, file := range files {
		name := map[string]string{tlsconf.RoleServer: "--cert", tlsconf.RoleKey: "--key"}[file.Role]
		wrong := &cli.ConfigError{Thing: name, Value: file.Path, Wrong: file.Err.Error(), Advice: file.Advice}
		if errors.Is(file.Err, fs.ErrPermission) {
			wrong.Advice = adviceDenied
		}
		found.Add(wrong)
	}
	return found.Err()
}

// token reads the bearer token; empty if there is none.
func (c *Credentials) token() (string, error) {
	if c.TokenFile == "" {
		return "", nil
	}
	text, err := read(c.TokenFile)
	if err != nil {
		return "", fileError("--token-file", c.TokenFile, err)
	}
	if text, err = safefile.TrimBOM(text); err != nil {
		return "", &cli.ConfigError{Thing: "--token-file", Value: c.TokenFile, Wrong: err.Error(),
			Advice: safefile.AdviceUTF8}
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsAny(token, "\r\n\t ") {
		return "", &cli.ConfigError{Thing: "--token-file", Value: c.TokenFile, Wrong: "not one token on one line"}
	}
	return token, nil
}

// authorize puts the token, if there is one, into r. It refuses to send it in the clear. Over plain HTTP
// localhost is 127.0.0.1 and nothing else: the gate may listen there, and another user on [::1].
func (c *Credentials) authorize(r *http.Request) error {
	token, err := c.token()
	if err != nil || token == "" {
		return err
	}
	if err := c.CheckPlain(r.URL.String()); err != nil {
		return err
	}
	if r.URL.Scheme == "http" && r.URL.Hostname() == "localhost" {
		r.URL.Host = "127.0.0.1" + strings.TrimPrefix(r.URL.Host, "localhost")
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return nil
}

// CheckPlain refuses to send a token over plain HTTP, but to this machine's loopback where the gate's
// settings have INSECURE_HTTP: otherwise nothing shows that the gate listens there, and not a process
// that wants the token. The error is a *cli.ConfigError.
func (c *Credentials) CheckPlain(target string) error {
	u, err := url.Parse(target)
	here := err == nil && loopback.IsName(u.Hostname())
	if c.TokenFile == "" || (err == nil && u.Scheme == "https") || (here && c.Plain) {
		return nil
	}
	wrong := &cli.ConfigError{Thing: "--token-file", Value: c.TokenFile,
		Wrong:  "over plain HTTP it is sent to loopback alone",
		Advice: "write https:// in the URL; a gate with INSECURE_HTTP is asked on its own machine, at 127.0.0.1"}
	if here {
		wrong.Wrong = "not sent over plain HTTP: no settings here have " + config.Prefix + "INSECURE_HTTP"
		wrong.Advice = "write https:// in the URL, or give the settings of the gate if they have INSECURE_HTTP; " +
			"any process could listen there and take the token"
	}
	return wrong
}

// Transport is an http.Transport for these credentials, without proxies. The error has every file
// that cannot be used, that of the token too, each with its flag.
func (c *Credentials) Transport() (*http.Transport, error) {
	var found cli.ConfigErrors
	config, err := c.tlsConfig()
	found.Join(err)
	_, err = c.token()
	found.Join(err)
	if err := found.Err(); err != nil {
		return nil, err
	}
	return &http.Transport{TLSClientConfig: config}, nil
}
