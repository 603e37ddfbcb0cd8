package winservice

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

const (
	// account is the virtual account that Windows makes for a service: no password, no
	// rights but those that are given to it by name.
	account = `NT SERVICE\` + Name

	// servicesKey is where the service manager keeps a service's settings.
	servicesKey = `SYSTEM\CurrentControlSet\Services\`
)

// install creates the service: started by the system, restarted after a failure. Settings
// that the gate would refuse are refused here.
func install(p *cli.Process, envFile string) error {
	list, path, err := settingsOf(p.Environ, envFile)
	if err != nil {
		return err
	}
	if _, err := config.Load(list); err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("service: %w", err)
	}
	args := []string{"service", "run"}
	if path != "" {
		args = append(args, "--env-file", path)
		list = nil // the file has them
	}
	return withManager(func(m *mgr.Mgr) error {
		s, err := m.CreateService(Name, exe, mgr.Config{
			StartType: mgr.StartAutomatic, ServiceStartName: account, DisplayName: "metrics-gate",
			Description: "Authenticating proxy for the metrics of GitLab Runner",
		}, args...)
		if errors.Is(err, windows.ERROR_SERVICE_EXISTS) {
			return &cli.ConfigError{
				Thing: "service", Value: Name, Wrong: "exists already",
				Advice: "metrics-gate service remove removes it",
			}
		}
		if err != nil {
			return fmt.Errorf("service %s: %w", Name, err)
		}
		defer func() { _ = s.Close() }()
		if err := configure(list); err != nil {
			return errors.Join(fmt.Errorf("service %s: %w", Name, err), s.Delete())
		}
		if err := setRecovery(s); err != nil {
			_, _ = fmt.Fprintf(p.Stderr, "metrics-gate: service %s: recovery actions: %v\n"+
				"  installed without them: nothing restarts the service after a failure\n", Name, err)
		}
		_, err = fmt.Fprintf(p.Stdout, "installed as %s\nlet it read the key and the tokens: "+
			"icacls FILE /grant \"%s:R\"\nstart it: sc start %s\n", account, account, Name)
		return err
	})
}

// setRecovery has the service manager restart the service after a failure.
func setRecovery(s *mgr.Service) error {
	restart := func(delay time.Duration) mgr.RecoveryAction {
		return mgr.RecoveryAction{Type: mgr.ServiceRestart, Delay: delay}
	}
	const forgotten = 24 * 60 * 60 // seconds without a failure after which the delays begin anew
	err := s.SetRecoveryActions([]mgr.RecoveryAction{
		restart(time.Second), restart(10 * time.Second), restart(time.Minute),
	}, forgotten)
	if err != nil {
		return err
	}
	// An exit with an error code is a failure too, not only a crash.
	return s.SetRecoveryActionsOnNonCrashFailures(true)
}

// configure sets what the service cannot run without: its environment and its source of events.
func configure(environ []string) error {
	if len(environ) > 0 {
		if err := setEnvironment(environ); err != nil {
			return fmt.Errorf("environment: %w", err)
		}
	}
	// A source that an earlier installation left behind is as good.
	_ = eventlog.Remove(Name)
	if err := eventlog.InstallAsEventCreate(Name, eventlog.Error|eventlog.Warning|eventlog.Info); err != nil {
		return fmt.Errorf("event log: %w", err)
	}
	return nil
}

// setEnvironment stores environ as the value Environment of the service's key, which the
// service manager adds to the system's environment.
func setEnvironment(environ []string) error {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, servicesKey+Name, registry.SET_VALUE)
	if err != nil {
		return err
	}
	return errors.Join(key.SetStringsValue("Environment", environ), key.Close())
}

// remove stops the service and deletes it. The service manager waits for the drain.
func remove(p *cli.Process) error {
	return withManager(func(m *mgr.Mgr) error {
		s, err := m.OpenService(Name)
		if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
			return &cli.ConfigError{Thing: "service", Value: Name, Wrong: "is not installed"}
		}
		if err != nil {
			return fmt.Errorf("service %s: %w", Name, err)
		}
		defer func() { _ = s.Close() }()
		if _, err := s.Control(svc.Stop); err != nil && !errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) {
			return fmt.Errorf("service %s: stop: %w", Name, err)
		}
		if err := s.Delete(); err != nil {
			return fmt.Errorf("service %s: %w", Name, err)
		}
		if err := eventlog.Remove(Name); err != nil && !errors.Is(err, registry.ErrNotExist) {
			return fmt.Errorf("event log: %w", err)
		}
		_, err = fmt.Fprintln(p.Stdout, "removed; it ends when the requests in flight have finished")
		return err
	})
}

// withManager calls do with the service manager of this machine.
func withManager(do func(*mgr.Mgr) error) error {
	m, err := mgr.Connect()
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return &cli.ConfigError{
			Thing: "service", Value: Name, Wrong: "the service manager denies access",
			Advice: "run the command in a console of an administrator",
		}
	}
	if err != nil {
		return fmt.Errorf("service manager: %w", err)
	}
	defer func() { _ = m.Disconnect() }()
	return do(m)
}
