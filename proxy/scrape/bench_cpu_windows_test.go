package scrape

import (
	"testing"

	"golang.org/x/sys/windows"
)

// cpu is the CPU time of the process, in microseconds.
func cpu(b *testing.B) float64 {
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(windows.CurrentProcess(), &created, &exited, &kernel, &user); err != nil {
		b.Fatal(err)
	}
	// A Filetime counts units of 100 ns; as a duration it has no epoch.
	ticks := func(f windows.Filetime) int64 { return int64(f.HighDateTime)<<32 | int64(f.LowDateTime) }
	return float64(ticks(kernel)+ticks(user)) / 10
}
