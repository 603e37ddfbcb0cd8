package server

import (
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/coreos/go-systemd/v22/activation"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
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
	ln, err := net.Listen(c.Address.Network(), c.Address.HostPort())
	if err != nil {
		return nil, fmt.Errorf("%sLISTEN_ADDRESS %q: %w", config.Prefix, c.Address, err)
	}
	return ln, nil
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
