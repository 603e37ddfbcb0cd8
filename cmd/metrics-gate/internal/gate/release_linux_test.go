package gate

import (
	"os"
	"reflect"
	"testing"
)

func TestUnchangedMappings(t *testing.T) {
	const smaps = `00400000-00a00000 r-xp 00000000 fe:01 42                         /usr/bin/metrics-gate
Size:               6144 kB
Rss:                5000 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
00a00000-01000000 r--p 00600000 fe:01 42                         /usr/bin/metrics-gate
Rss:                5000 kB
Anonymous:            16 kB
01000000-01100000 rw-p 00c00000 fe:01 42                         /usr/bin/metrics-gate
Anonymous:             0 kB
02000000-02100000 r--p 00000000 fe:01 43                         /usr/bin/other
Anonymous:             0 kB
c000000000-c000400000 rw-p 00000000 00:00 0
Anonymous:             0 kB
`
	want := []mapping{{0x400000, 0xa00000}}
	if got := unchanged([]byte(smaps), "/usr/bin/metrics-gate"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

// TestProgramGoesOnWithoutItsPages gives back the pages of this test's own program.
func TestProgramGoesOnWithoutItsPages(t *testing.T) {
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if len(unchanged(smaps, program)) == 0 {
		t.Fatal("nothing to give back")
	}
	releaseProgram()
	TestUnchangedMappings(t)
}
