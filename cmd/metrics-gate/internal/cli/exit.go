package cli

import "strconv"

// ExitCode ends a command whose output has said everything already.
type ExitCode int

// Error implements error.
func (c ExitCode) Error() string { return "exit code " + strconv.Itoa(int(c)) }
