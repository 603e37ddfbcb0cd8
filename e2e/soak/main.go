// Command soak loads the built gate for minutes with good and hostile clients and with a
// runner that fails at times, all on loopback. It prints counts of all answers and the
// gate's memory, goroutines and descriptors. It fails when a scrape of a sound runner was
// not answered, when resources were not released, or when memory exceeds the budget.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are the command line.
type options struct {
	length   time.Duration
	series   int
	scrapers int
	limit    string
	rest     time.Duration
}

// minRest is the time until the gate has released its memory: it looks each minute and releases idle
// memory at every second look, so the second release covers all.
const minRest = 245 * time.Second

func main() {
	var o options
	flag.DurationVar(&o.length, "for", 10*time.Minute, "length of the mixed load")
	flag.DurationVar(&o.rest, "rest", minRest, "rest at the end; a shorter one is not held against the memory at rest")
	flag.IntVar(&o.series, "series", 100_000, "series in the runner's exposition")
	flag.IntVar(&o.scrapers, "scrapers", 16, "scrapers, each with an identity of its own, once a second")
	flag.StringVar(&o.limit, "gomemlimit", "", "GOMEMLIMIT of the gate; empty: none")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	t := &bench{}
	sound := t.run(func() { soak(ctx, t, o) })
	if !sound {
		os.Exit(1)
	}
}

// soak runs the phases: idle, scrapers alone, scrapers and attacks, rest.
func soak(ctx context.Context, t *bench, o options) {
	w := newWorld(t, o)
	seen := &counts{}
	watch := newWatch(w.gate.Process.Process.Pid)
	defer watch.tell(time.Now(), o)()
	pause(ctx, 3*time.Second)
	watch.mark("idle, after the start")

	scrapers, stopScrapers := context.WithCancel(ctx)
	good := w.scrape(scrapers, seen)
	pause(ctx, max(10*time.Second, o.length/10))
	watch.mark(fmt.Sprintf("%d scrapers, %d series", o.scrapers, o.series))
	stopScrapers()
	good.Wait()
	pause(ctx, 3*time.Second)
	watch.mark("after them")
	before := w.gate.Resources(t)

	hostile, stopHostile := context.WithTimeout(ctx, o.length)
	good = w.scrape(hostile, seen)
	bad := w.attack(hostile, seen)
	w.disturb(hostile, t, seen)
	bad.Wait()
	good.Wait()
	stopHostile()
	watch.mark("scrapers and attacks")

	w.gate.AwaitRelease(t, before)
	pause(ctx, o.rest)
	watch.mark("at rest again")
	after := w.gate.Resources(t)
	f := w.gate.Metrics(t)
	fmt.Printf("heap of the gate at rest, in MiB: %.1f live, %.1f in use, %.1f idle, %.1f given back\n",
		f["go_memstats_heap_alloc_bytes"]/(1<<20),
		f["go_memstats_heap_inuse_bytes"]/(1<<20), f["go_memstats_heap_idle_bytes"]/(1<<20),
		f["go_memstats_heap_released_bytes"]/(1<<20))
	report(t, o, seen, watch, [2]any{before, after})
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
