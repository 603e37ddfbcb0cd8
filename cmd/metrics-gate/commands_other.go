//go:build !windows

package main

import "github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"

// systemCommands lists the commands that only this system has.
func systemCommands() []cli.Command { return nil }
