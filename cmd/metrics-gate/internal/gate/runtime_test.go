package gate

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestTuneRuntime(t *testing.T) {
	processors, percent := runtime.GOMAXPROCS(3), debug.SetGCPercent(77)
	defer func() {
		runtime.GOMAXPROCS(processors)
		debug.SetGCPercent(percent)
	}()
	state := func() (int, int) {
		p := debug.SetGCPercent(-1)
		debug.SetGCPercent(p)
		return runtime.GOMAXPROCS(0), p
	}
	TuneRuntime(func(name string) string { return map[string]string{"GOMAXPROCS": "3", "GOGC": "77"}[name] })
	if n, p := state(); n != 3 || p != 77 {
		t.Errorf("%d processors, %d %%: what is set wins", n, p)
	}
	TuneRuntime(func(string) string { return "" })
	if n, p := state(); n != 1 || p != gcPercent {
		t.Errorf("%d processors, %d %%", n, p)
	}
}
