package winservice

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/server"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/settings"
)

// Command declares service.
func Command() cli.Command {
	return cli.Command{
		Name: "service", Args: cli.Args{Name: "ACTION", Choices: []string{"install", "remove", "run"}},
		Summary: "install or remove the Windows service; the service manager runs it", Reloads: true,
		Example: `metrics-gate service install --env-file C:\ProgramData\metrics-gate\gate.env`,
		Setup: func(set *flag.FlagSet) cli.RunFunc {
			envFile := set.String("env-file", "",
				"the `file` of settings, read at each start; without it, install stores those of its environment")
			return func(_ context.Context, p *cli.Process, args []string) error {
				switch args[0] {
				case "install":
					return install(p, *envFile)
				case "remove":
					return remove(p)
				}
				return run(p, *envFile)
			}
		},
	}
}

// run is what the service manager starts.
func run(p *cli.Process, envFile string) error {
	// Go reports the console events of a logoff or shutdown as signals. The service manager
	// has the say here, so they are received and dropped.
	signals := p.TakeSignals()
	go func() {
		for range signals {
		}
	}()
	events, err := eventlog.Open(Name)
	if err != nil {
		return fmt.Errorf("event log: %w", err)
	}
	defer func() { _ = events.Close() }()
	s := &service{events: events, start: func() (*gate, error) { return start(p, envFile, events) }}
	err = svc.Run(Name, s)
	if errors.Is(err, windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
		return &cli.ConfigError{
			Thing: "service", Value: "run", Wrong: "only the service manager can start it",
			Advice: "sc start " + Name + " starts the service; metrics-gate serve runs the gate in a console",
		}
	}
	if err != nil {
		return fmt.Errorf("service manager: %w", err)
	}
	return s.err
}

// start reads the settings and all files, and binds the addresses.
func start(p *cli.Process, envFile string, events eventLog) (*gate, error) {
	environ := p.Environ
	if envFile != "" {
		list, err := settings.ReadFile(envFile)
		if err != nil {
			return nil, err
		}
		environ = slices.Concat(environ, list)
	}
	c, err := config.Load(environ)
	if err != nil {
		return nil, err
	}
	s, err := server.New(c, newLogger(events, c.Process), p.Build)
	if err != nil {
		return nil, err
	}
	return &gate{run: s.Run, stopTime: c.Process.Linger + c.Process.DrainTimeout}, nil
}
