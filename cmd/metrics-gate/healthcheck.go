package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/settings"
	"github.com/metrics-gate/metrics-gate/proxy/sockerr"
)

// healthcheckTimeout is less than the probes of Docker and Kubernetes wait.
const healthcheckTimeout = 3 * time.Second

// healthcheckCommand declares healthcheck.
func healthcheckCommand() cli.Command {
	return cli.Command{
		Name: "healthcheck", Summary: "exit 0 when /readyz of the admin listener is 200",
		Example: "metrics-gate healthcheck",
		Setup: func(set *flag.FlagSet) cli.RunFunc {
			var o settings.Options
			o.RegisterFlags(set)
			return func(ctx context.Context, p *cli.Process, _ []string) error { return healthcheck(ctx, p, &o) }
		},
	}
}

// healthcheck asks the admin listener's /readyz, for probes in an image without a shell.
func healthcheck(ctx context.Context, p *cli.Process, o *settings.Options) error {
	from, err := o.Take(ctx, p.Environ)
	if err != nil {
		return err
	}
	if err := from.Print(p.Stdout, ""); err != nil {
		return err
	}
	c, err := config.Load(from.Environ)
	if err != nil {
		return err
	}
	admin := c.Process.AdminAddress
	if admin.Off {
		return &cli.ConfigError{Thing: config.Prefix + "ADMIN_ADDRESS", Value: "off",
			Wrong: "there is no /readyz to ask"}
	}
	ctx, cancel := context.WithTimeout(ctx, healthcheckTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin.DialAddress()+"/readyz", nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if sockerr.KindOf(err) == sockerr.Refused {
		return &cli.Failure{Err: fmt.Errorf("healthcheck: %w", err),
			Advice: "start the gate, or set " + config.Prefix + "ADMIN_ADDRESS as it is set there"}
	}
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return notReady(response)
	}
	return nil
}

// notReady is the error of an answer of /readyz: its first line is the reason, its second the advice.
func notReady(response *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	why, do, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
	return &cli.Failure{Err: fmt.Errorf("healthcheck /readyz: %s: %s", response.Status, why), Advice: do}
}
