//go:build windows

// Command paramchange tells the service metrics-gate that its parameters changed, as
// "sc.exe control metrics-gate paramchange" does on Windows. Wine's sc has no control.
package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

func main() {
	if err := control(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func control() error {
	m, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer func() { _ = m.Disconnect() }()
	s, err := m.OpenService("metrics-gate")
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	_, err = s.Control(svc.ParamChange)
	return err
}
