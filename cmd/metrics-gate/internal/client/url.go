package client

import (
	"net"
	"net/url"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// defaultPort is the port of a gate.
const defaultPort = "9253"

// GateURL reads the URL of a gate, https or http, or HOST[:PORT][/PATH], which is https and port
// 9253. The error is a *cli.ConfigError about thing.
func GateURL(thing, raw string) (*url.URL, error) {
	short := !strings.Contains(raw, "://")
	text := raw
	if short {
		text = "https://" + raw
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil {
		return nil, &cli.ConfigError{Thing: thing, Value: HideURL(raw),
			Wrong:  "not HOST:PORT, nor an http or https URL without user and password",
			Advice: "write it as in localhost:9253 or https://runner.example:9253"}
	}
	if short && u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), defaultPort)
	}
	return u, nil
}

// HideURL is raw for an error, without what may be secret in a URL: user and password, a token in
// the place of the host, the query.
func HideURL(raw string) string {
	raw = config.HideSecrets(raw)
	if i := strings.IndexAny(raw, "?#&"); i >= 0 {
		raw = raw[:i] + "?…"
	}
	if scheme, rest, isURL := strings.Cut(raw, "://"); isURL {
		return scheme + "://" + cli.HideToken(rest)
	}
	return raw
}
