package main

import (
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/winservice"
)

// systemCommands lists the commands that only this system has.
func systemCommands() []cli.Command { return []cli.Command{winservice.Command()} }
