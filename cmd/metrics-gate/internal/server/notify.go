package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// notify tells systemd about the service's state (sd_notify(3)); without systemd nothing happens.
func notify(state string) { _, _ = daemon.SdNotify(false, state) }

// notifyReloading begins a reload; READY=1 ends it. The monotonic time is what
// Type=notify-reload asks for.
func notifyReloading() {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	notify(fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Nano()/1000))
}

// watchdog pats systemd's watchdog while the public listener really answers, until ctx ends.
func watchdog(ctx context.Context, answers func(context.Context) error) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval == 0 {
		return
	}
	tick := time.NewTicker(interval / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			probe, cancel := context.WithTimeout(ctx, interval/3)
			if answers(probe) == nil {
				notify(daemon.SdNotifyWatchdog)
			}
			cancel()
		}
	}
}

// answers connects to the listener at addr and waits for the first word of the server.
// dialed is told the address that the connection comes from.
func answers(ctx context.Context, addr net.Addr, plain bool, dialed func(net.Addr)) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", config.DialAddress(addr.String()))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	dialed(conn.LocalAddr())
	if plain {
		return nil
	}
	// The certificate is not the question here, and its name may be any: only that
	// the server shakes hands. The connection carries nothing.
	client := tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	return client.HandshakeContext(ctx)
}
