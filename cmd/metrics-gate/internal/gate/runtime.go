package gate

import (
	"runtime"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"sync"
	"time"
)

const (
	startTime       = time.Second      // the start is over by then
	releaseInterval = 90 * time.Second // longer than anyone waits between two scrapes
	// releaseGrowth is how much memory may grow before it is released, in bytes. A scrape pays
	// page faults for memory that it needs again.
	releaseGrowth = 4 << 20
	// restAllocations is the most that is allocated between two looks at rest, in bytes.
	restAllocations = 1 << 20
	// restGrowth is how much memory may grow until a gate at rest collects garbage, in bytes.
	restGrowth = 4 << 20
)

// memory releases idle memory, and lets the garbage collector rest when there is no garbage.
// The runtime collects every two minutes even then, which costs an idle gate more CPU than
// all else.
type memory struct {
	parts     []func()  // each releases idle memory of one part
	released  time.Time // the last time
	inUse     uint64    // in bytes, after memory went to the operating system
	allocated uint64    // in bytes, until the last upkeep
	atRelease uint64    // in bytes, allocated until memory was released
	quiet     bool      // next to nothing was allocated between the last two releases

	mu      sync.Mutex
	resting bool
	limit   int64 // before the rest
}

// releaseStart releases what only the start needed.
func releaseStart() {
	debug.FreeOSMemory()
	releaseProgram()
}

// upkeep lets the collector rest if it had nothing to do since the last call, and releases memory
// if the last time is long ago. What parts release goes to the operating system, if it is
// much: the jobs on this host need it more. It reports whether there is so little to do that the
// next call can be late.
func (m *memory) upkeep(now time.Time) (quiet bool) {
	inUse, allocated := usage()
	if m.allocated > 0 && allocated-m.allocated < restAllocations {
		m.rest(inUse)
	}
	m.allocated = allocated
	if now.Sub(m.released) < releaseInterval {
		return m.quiet
	}
	m.released = now
	m.quiet = allocated-m.atRelease < restAllocations
	m.atRelease = allocated
	for _, part := range m.parts {
		part()
	}
	if inUse > m.inUse+releaseGrowth {
		debug.FreeOSMemory()
		m.inUse, _ = usage()
	}
	return m.quiet
}

// rest turns the collector off until memory has grown. It does nothing if GOGC is set.
func (m *memory) rest(inUse uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.resting || collectorPercent() != gcPercent {
		return
	}
	m.resting = true
	debug.SetGCPercent(-1)
	m.limit = debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(m.limit, int64(inUse+restGrowth)))
	runtime.AddCleanup(new(*memory), (*memory).work, m) // called after the next collection
}

// work ends the rest.
func (m *memory) work() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.resting = false
	debug.SetMemoryLimit(m.limit)
	debug.SetGCPercent(gcPercent)
}

// collectorPercent returns what is set by GOGC or debug.SetGCPercent.
func collectorPercent() uint64 {
	sample := []runtimemetrics.Sample{{Name: "/gc/gogc:percent"}}
	runtimemetrics.Read(sample)
	return sample[0].Value.Uint64()
}

// usage returns the bytes that the runtime has from the operating system, and all that
// were ever allocated.
func usage() (inUse, allocated uint64) {
	samples := []runtimemetrics.Sample{
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"},
		{Name: "/gc/heap/allocs:bytes"},
	}
	runtimemetrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64(), samples[2].Value.Uint64()
}

// gcPercent is the garbage collector's percentage: a scrape leaves little behind, so a
// heap of 2 MiB in place of Go's least of 4 costs nothing that can be measured.
const gcPercent = 50

// TuneRuntime sets the runtime up for a sidecar, which takes from the jobs on its host. One
// processor carries thousands of scrapes a second, and with more of them each scrape
// wakes threads in vain: docs/performance.md has the figures. GOMAXPROCS and GOGC win
// when they are set.
func TuneRuntime(getenv func(string) string) {
	if getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(1)
	}
	if getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
