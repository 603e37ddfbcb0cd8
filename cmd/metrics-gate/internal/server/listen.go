package server

import (
	"fmt"
	"net"
	"os"

	"github.com/coreos/go-systemd/v22/activation"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// publicListener is the socket that systemd passed, or else the configured address.
func publicListener(c config.Listen) (net.Listener, error) {
	if os.Getenv("LISTEN_FDS") != "" {
		passed, err := activation.Listeners()
		if err != nil {
			return nil, fmt.Errorf("systemd socket: %w", err)
		}
		switch {
		case len(passed) == 1 && passed[0] != nil:
			return passed[0], nil
		case len(passed) > 0:
			return nil, fmt.Errorf("systemd socket: %d passed, one stream socket is needed", len(passed))
		}
	}
	ln, err := net.Listen(c.Address.Network(), c.Address.HostPort())
	if err != nil {
		return nil, fmt.Errorf("%sLISTEN_ADDRESS %q: %w", config.Prefix, c.Address, err)
	}
	return ln, nil
}
