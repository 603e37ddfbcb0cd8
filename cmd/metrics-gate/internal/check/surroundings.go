package check

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gate"
)

// askTimeout bounds what may not answer. What does not is a warning, and not an error.
const askTimeout = 3 * time.Second

// surroundings asks what the configuration cannot tell by itself: whether the addresses are this
// host's, and what the issuers call themselves.
func surroundings(ctx context.Context, c *config.Config, g *gate.Gate) ([]cli.Finding, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var found cli.ConfigErrors
	warnings, err := addresses(ctx, c)
	found.Join(err)
	more, err := issuers(ctx, c, g.Issuers)
	found.Join(err)
	return append(warnings, more...), found.Err()
}

// addresses tries the hosts of the listeners, on a port of the system's choice.
func addresses(ctx context.Context, c *config.Config) ([]cli.Finding, error) {
	var warnings []cli.Finding
	var found cli.ConfigErrors
	for _, l := range []listener{
		{config.Prefix + "LISTEN_ADDRESS", c.Listen.Address},
		{config.Prefix + "ADMIN_ADDRESS", c.Process.AdminAddress.ListenAddress},
	} {
		warning, err := l.judge(tryHost(ctx, l.address))
		warnings = append(warnings, warning...)
		found.Join(err)
	}
	return warnings, found.Err()
}

// listener is an address with its variable.
type listener struct {
	variable string
	address  config.ListenAddress
}

// judge says what err of tryHost means. A name that does not exist is an error. An address that
// this host lacks may be one that it gets when another host fails.
func (l listener) judge(err error) ([]cli.Finding, error) {
	const advice = "write an address of this host, or none for all: :9253"
	if err == nil {
		return nil, nil
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return nil, &cli.ConfigError{Thing: l.variable, Value: l.address.String(),
			Wrong: fmt.Sprintf("%q is no port, and no host of this name exists", l.address.Host), Advice: advice}
	}
	return []cli.Finding{cli.Warn(advice, "%s %q: this host cannot listen there: %v", l.variable, l.address.String(),
		err)}, nil
}

// tryHost listens on a's host for a moment.
func tryHost(ctx context.Context, a config.ListenAddress) error {
	if a.Host == "" {
		return nil
	}
	ln, err := new(net.ListenConfig).Listen(ctx, a.Network(), net.JoinHostPort(a.Host, "0"))
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err // without the port
	}
	if err != nil {
		return err
	}
	return ln.Close()
}

// issuers asks each issuer for its discovery document. One that calls itself otherwise than the
// configuration is an error: the gate refuses all its tokens.
func issuers(ctx context.Context, c *config.Config, asked []*auth.OIDC) ([]cli.Finding, error) {
	list := c.Issuers() // in the order of asked
	errs := make([]error, len(asked))
	var asking sync.WaitGroup
	for i := range asked {
		if list[i].JWKSFile == "" {
			asking.Go(func() { _, errs[i] = asked[i].Probe(ctx) })
		}
	}
	asking.Wait()
	var warnings []cli.Finding
	var found cli.ConfigErrors
	for i, err := range errs {
		if err == nil {
			continue
		}
		variable := list[i].Prefix + "ISSUER_URL"
		if named, ok := errors.AsType[*auth.IssuerError](err); ok && named.Issuer != "" {
			found.Add(&cli.ConfigError{Thing: variable, Value: list[i].URL,
				Wrong:  fmt.Sprintf("the issuer calls itself %q, and its tokens do", named.Issuer),
				Advice: "set " + variable + "=" + named.Issuer + ": both must be equal character by character"})
			continue
		}
		warnings = append(warnings, cli.Warn("metrics-gate doctor says what to do; its tokens get 503 until then",
			"%s %s: no keys: %v", variable, list[i].URL, err))
	}
	return warnings, found.Err()
}
