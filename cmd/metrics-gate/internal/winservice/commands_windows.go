package winservice

import "github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"

// Commands lists the commands that only this system has.
func Commands() []cli.Command { return []cli.Command{Command()} }
