package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The budget, in bytes of resident memory.
const (
	idleBudget    = 20 << 20
	scrapesBudget = 30 << 20
	returnsWithin = 2 << 20 // above the memory after the scrapers alone
)

// counts counts outcomes by kind.
type counts struct {
	mu  sync.Mutex
	all map[string]map[string]int
}

func (c *counts) add(kind, outcome string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]map[string]int{}
	}
	if c.all[kind] == nil {
		c.all[kind] = map[string]int{}
	}
	c.all[kind][outcome]++
}

// watch samples the resident memory of a process.
type watch struct {
	pid   int
	mu    sync.Mutex
	peak  int64
	marks []mark
}

// mark is the memory at the end of a phase, in bytes.
type mark struct {
	phase              string
	now, peak, private int64
}

func newWatch(pid int) *watch {
	w := &watch{pid: pid}
	go func() {
		for range time.Tick(50 * time.Millisecond) {
			now, _ := w.memory()
			w.mu.Lock()
			w.peak = max(w.peak, now)
			w.mu.Unlock()
		}
	}()
	return w
}

// memory returns VmRSS and RssAnon.
func (w *watch) memory() (resident, private int64) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.pid))
	if err != nil {
		return 0, 0
	}
	for line := range bytes.Lines(status) {
		name, value, _ := strings.Cut(string(line), ":")
		n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			resident = n << 10
		case "RssAnon":
			private = n << 10
		}
	}
	return resident, private
}

// mark ends a phase.
func (w *watch) mark(phase string) {
	now, private := w.memory()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.marks = append(w.marks, mark{phase, now, max(w.peak, now), private})
	w.peak = 0
}

// report prints the results and checks them against the budget.
func report(t *bench, o options, seen *counts, w *watch, kept [2]any) {
	fmt.Printf("%-28s %s\n", "what", "outcomes")
	for _, kind := range slices.Sorted(maps.Keys(seen.all)) {
		fmt.Printf("%-28s", kind)
		for _, outcome := range slices.Sorted(maps.Keys(seen.all[kind])) {
			fmt.Printf(" %s: %d ", outcome, seen.all[kind][outcome])
			if outcome == "HELD" {
				t.Errorf("%s: %d connections were held", kind, seen.all[kind][outcome])
			}
		}
		fmt.Println()
	}
	if refused := seen.all["REFUSED SCRAPES"]; len(refused) > 0 {
		t.Errorf("scrapes of a sound runner that were not answered: %v", refused)
	}
	fmt.Printf("\n%-32s %10s %10s %10s\n", "resident memory in MiB", "end", "peak", "private")
	for _, m := range w.marks {
		fmt.Printf("%-32s %10.1f %10.1f %10.1f\n", m.phase, mib(m.now), mib(m.peak), mib(m.private))
	}
	fmt.Printf("\nheld before: %+v\nheld after:  %+v\n", kept[0], kept[1])
	if idle := w.marks[0].now; idle > idleBudget {
		t.Errorf("%.1f MiB idle, the budget is %.0f", mib(idle), mib(idleBudget))
	}
	if rest, before := w.marks[4].now, w.marks[2].now; o.rest >= minRest && rest > before+returnsWithin {
		t.Errorf("%.1f MiB at rest, after the scrapers alone it was %.1f: the attacks have left something", mib(rest),
			mib(before))
	}
	if peak := w.marks[1].peak; o.series <= 100_000 && o.scrapers <= 16 && peak > scrapesBudget {
		t.Errorf("%.1f MiB with scrapers alone, the budget is %.0f", mib(peak), mib(scrapesBudget))
	}
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// tell prints the progress to standard error every half minute until the returned function
// is called.
func (w *watch) tell(start time.Time, o options) (stop func()) {
	whole := 16*time.Second + max(10*time.Second, o.length/10) + o.length + o.rest
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(30 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				resident, _ := w.memory()
				fmt.Fprintf(os.Stderr, "soak: %s of about %s, the gate has %.1f MiB\n",
					time.Since(start).Round(time.Second), whole.Round(time.Second), mib(resident))
			}
		}
	}()
	return func() { close(done) }
}
