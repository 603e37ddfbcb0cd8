package gate

import (
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"
)

// testMemory counts the releases of one part. The collector is set as in a gate.
func testMemory(t *testing.T) (m *memory, released *int) {
	t.Helper()
	percent, limit := debug.SetGCPercent(gcPercent), debug.SetMemoryLimit(-1)
	t.Cleanup(func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	})
	released = new(int)
	return &memory{parts: []func(){func() { *released++ }}}, released
}

// Idle memory of every part is released once an interval.
func TestIdleMemoryIsReleased(t *testing.T) {
	m, released := testMemory(t)
	start := time.Unix(1e9, 0)
	for _, step := range []struct {
		at   time.Duration
		want int
	}{{0, 1}, {releaseInterval - time.Second, 1}, {releaseInterval, 2}, {releaseInterval + time.Second, 2},
		{10 * releaseInterval, 3}} {
		m.upkeep(start.Add(step.at))
		if *released != step.want {
			t.Errorf("after %s: released %d times, want %d", step.at, *released, step.want)
		}
	}
}

// A gate is quiet when next to nothing was allocated between two releases.
func TestQuietGate(t *testing.T) {
	m, _ := testMemory(t)
	start := time.Unix(1e9, 0)
	m.upkeep(start)
	if !m.upkeep(start.Add(releaseInterval)) {
		t.Error("not quiet without allocations")
	}
	runtime.KeepAlive(make([]byte, 2*restAllocations))
	for at, want := range []bool{true, false, true} { // before the next release, at it, and one later
		if got := m.upkeep(start.Add(releaseInterval + time.Second + time.Duration(at)*releaseInterval)); got != want {
			t.Errorf("call %d: %v", at, got)
		}
	}
}

// What parts release goes to the operating system if it is much.
func TestReleasedMemoryGoesToTheSystem(t *testing.T) {
	m, _ := testMemory(t)
	start := time.Unix(1e9, 0)
	m.upkeep(start)
	burst := make([]byte, 8*releaseGrowth)
	m.parts = append(m.parts, func() { burst = nil })
	before, _ := usage()
	m.upkeep(start.Add(releaseInterval))
	if after, _ := usage(); after > before-4*releaseGrowth {
		t.Errorf("%d MiB in use before, %d after", before>>20, after>>20)
	}
	runtime.KeepAlive(burst)
}

// settings are the collector's percentage and memory limit.
func settings() [2]int64 { return [2]int64{int64(collectorPercent()), debug.SetMemoryLimit(-1)} }

// Without garbage the collector rests, and the first collection afterwards ends the rest.
func TestCollectorRests(t *testing.T) {
	m, _ := testMemory(t)
	busy := settings()
	start := time.Unix(1e9, 0)
	m.upkeep(start)
	if settings() != busy {
		t.Fatal("the collector rests before anything is known")
	}
	m.upkeep(start.Add(releaseInterval))
	inUse, _ := usage()
	resting := settings()
	if off := int64(-1); resting[0] != off {
		t.Errorf("percentage %d in an interval without allocations, want %d", resting[0], off)
	}
	if resting[1] > int64(inUse)+restGrowth {
		t.Errorf("it may grow from %d to %d bytes", inUse, resting[1])
	}
	keep := [][]byte{}
	for range 64 { // far above the limit: a collection must come by itself
		keep = append(keep, make([]byte, 1<<20))
	}
	runtime.KeepAlive(keep)
	awaitWork(t, m)
	if settings() != busy {
		t.Errorf("%v after a collection, want %v", settings(), busy)
	}
}

// awaitWork waits for the cleanup that ends the rest. Collections sweep what the one before found.
func awaitWork(t *testing.T, m *memory) {
	t.Helper()
	for range 1000 {
		m.mu.Lock()
		resting := m.resting
		m.mu.Unlock()
		if !resting {
			return
		}
		runtime.Gosched()
		runtime.GC()
	}
	t.Fatal("the collector still rests")
}

// A collector that has something to do, or that a person has set, does not rest.
func TestCollectorThatIsNeededDoesNotRest(t *testing.T) {
	for name, prepare := range map[string]func(){
		"garbage": func() {
			var garbage [][]byte
			for range 16 {
				garbage = append(slices.Clone(garbage), make([]byte, restAllocations/8))
			}
		},
		"GOGC is set":     func() { debug.SetGCPercent(gcPercent + 1) },
		"GOGC=off is set": func() { debug.SetGCPercent(-1) },
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := testMemory(t)
			start := time.Unix(1e9, 0)
			m.upkeep(start)
			prepare()
			before := settings()
			m.upkeep(start.Add(releaseInterval))
			if settings() != before {
				t.Errorf("%v, want %v", settings(), before)
			}
		})
	}
}

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
