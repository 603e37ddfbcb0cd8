// Command soak loads the built gate for minutes with good and hostile clients and a runner
// that is faulty now and then, all on loopback. It ends with counts of everything that
// was answered and with what the gate holds in memory, goroutines and descriptors; it
// fails when a scrape of a sound runner was not answered, when something did not come
// back, or when the memory budget is passed.
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

// minRest is how long the gate needs to give back everything: it tidies up every 90 s, and
// what was in use meanwhile goes the time after.
const minRest = 185 * time.Second

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

// soak goes through the phases: idle, scrapers alone, everything at once, and rest.
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
	fmt.Printf("heap of the gate at rest, in MiB: %.1f live, %.1f in use, %.1f idle, %.1f given back\n", f["go_memstats_heap_alloc_bytes"]/(1<<20),
		f["go_memstats_heap_inuse_bytes"]/(1<<20), f["go_memstats_heap_idle_bytes"]/(1<<20), f["go_memstats_heap_released_bytes"]/(1<<20))
	report(t, o, seen, watch, [2]any{before, after})
}

// pause waits for d, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
