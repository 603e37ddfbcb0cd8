package main

import "strconv"

// exitCode ends a command whose output has said everything already.
type exitCode int

// Error implements error.
func (c exitCode) Error() string { return "exit code " + strconv.Itoa(int(c)) }
