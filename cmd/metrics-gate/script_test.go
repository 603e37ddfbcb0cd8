package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
)

// The scripts drive the real program: this test binary, started again as metrics-gate.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"metrics-gate": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", os.Getenv("PATH"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"demofiles": demoFiles},
	})
}

// demoFiles DIR makes the files of the demo in DIR, for scripts that need good ones.
func demoFiles(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	ts.Check(demofiles.Write(dir))
}
