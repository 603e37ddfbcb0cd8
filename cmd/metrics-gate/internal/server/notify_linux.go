package server

import (
	"context"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
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
