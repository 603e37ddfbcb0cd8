//go:build !linux

package server

import "context"

// systemd runs on Linux alone: nobody listens to notifications elsewhere.

func notify(string)    {}
func notifyReloading() {}

func watchdog(context.Context, func(context.Context) error) {}
