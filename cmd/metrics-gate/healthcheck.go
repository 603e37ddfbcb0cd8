package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// healthcheckTimeout is less than the probes of Docker and Kubernetes wait.
const healthcheckTimeout = 3 * time.Second

// healthcheckCommand declares healthcheck.
func healthcheckCommand() cli.Command {
	return cli.Command{
		Name: "healthcheck", Summary: "exit 0 when /readyz of the admin listener is 200",
		Example: "metrics-gate healthcheck", Setup: cli.NoFlags(healthcheck),
	}
}

// healthcheck asks the admin listener's /readyz, for probes in an image without a shell.
func healthcheck(ctx context.Context, p *cli.Process, _ []string) error {
	c, err := config.Load(p.Environ)
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
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("healthcheck /readyz: %s", response.Status)
	}
	return nil
}
