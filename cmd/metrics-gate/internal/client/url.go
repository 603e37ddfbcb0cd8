package client

import (
	"net"
	"net/url"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
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
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil ||
		cli.HideToken(u.Hostname()) != u.Hostname() { // a resolver must not be asked for a token
		return nil, &cli.ConfigError{Thing: thing, Value: cli.HideURL(raw),
			Wrong:  "not HOST:PORT, nor an http or https URL without user and password",
			Advice: "write it as in localhost:9253 or https://runner.example:9253"}
	}
	if short && u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), defaultPort)
	}
	return u, nil
}
