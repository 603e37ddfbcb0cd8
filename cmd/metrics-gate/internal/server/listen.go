package server

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"

	"github.com/coreos/go-systemd/v22/activation"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/proxy/sockerr"
)

// publicListener is the sockets that systemd passed, or else the configured address.
func publicListener(c config.Listen) (net.Listener, error) {
	if os.Getenv("LISTEN_FDS") != "" {
		passed, err := activation.Listeners()
		if err != nil {
			return nil, fmt.Errorf("systemd socket: %w", err)
		}
		for i, ln := range passed {
			if ln == nil {
				return nil, fmt.Errorf("systemd socket %d of %d: not a stream socket", i+1, len(passed))
			}
		}
		if len(passed) > 0 {
			return mergeListeners(passed), nil
		}
	}
	return bind("LISTEN_ADDRESS", c.Address)
}

// bind listens on the address of a variable.
func bind(variable string, address config.ListenAddress) (net.Listener, error) {
	ln, err := net.Listen(address.Network(), address.HostPort())
	if err == nil {
		return ln, nil
	}
	err = fmt.Errorf("%s%s %q: %w", config.Prefix, variable, address, err)
	switch sockerr.KindOf(err) {
	case sockerr.InUse:
		return nil, &cli.Failure{Err: err, Advice: fmt.Sprintf("%s names the process that holds it: stop that, or set "+
			"%s%s to another port", listHolder(runtime.GOOS, address.Port), config.Prefix, variable)}
	case sockerr.Forbidden:
		return nil, &cli.Failure{Err: err, Advice: forbiddenPort(runtime.GOOS) + ": set " + config.Prefix + variable +
			" to another port"}
	}
	return nil, err
}

// forbiddenPort says which ports a system does not give to this user.
func forbiddenPort(system string) string {
	if system == "windows" {
		return "another program has it alone, or Windows reserves it (netsh int ip show excludedportrange tcp)"
	}
	return "a port below 1024 needs root or CAP_NET_BIND_SERVICE"
}

// listHolder is the command that names who listens on a port, on this system.
func listHolder(system string, port uint16) string {
	switch system {
	case "linux":
		return fmt.Sprintf("ss -ltnp 'sport = :%d' (as root)", port)
	case "windows":
		return fmt.Sprintf("Get-Process -Id (Get-NetTCPConnection -State Listen -LocalPort %d).OwningProcess", port)
	}
	return fmt.Sprintf("lsof -nP -iTCP:%d -sTCP:LISTEN", port)
}

// checkUpstream returns a *cli.ConfigError if one of the listeners, as they are bound, is the
// upstream: systemd's sockets can be anywhere. Listeners that are off are nil.
func checkUpstream(c *config.Config, bound ...net.Listener) error {
	for _, ln := range bound {
		if ln == nil {
			continue
		}
		var own config.ListenAddress
		if err := own.UnmarshalText([]byte(ln.Addr().String())); err != nil {
			continue // no TCP: not the upstream
		}
		if err := c.CheckUpstream(own); err != nil {
			return err
		}
	}
	return nil
}

// closeAll closes the listeners that are not nil.
func closeAll(list ...net.Listener) error {
	var err error
	for _, ln := range list {
		if ln != nil {
			err = errors.Join(err, ln.Close())
		}
	}
	return err
}
