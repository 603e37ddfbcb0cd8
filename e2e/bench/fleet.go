package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// fleetSize is how many gates run at once.
const fleetSize = 50

// fleet measures fifty gates on one host: each scraped every 15 s on a kept connection, and then
// none. What 200 and 1,000 gates cost at 15 s and at 60 s follows from it.
func (b *bench) fleet(ctx context.Context) error {
	length := 2 * time.Minute
	if b.options.quick {
		length = 30 * time.Second
	}
	runner, address, err := b.startRunner(ctx, rolePlain, 300)
	if err != nil {
		return err
	}
	defer runner.stop()
	var pids []int
	warm := pace{Every: time.Second, Scrapes: 5}
	for range fleetSize {
		p, listen, err := b.startTarget(ctx, b.targets[0], address)
		if err != nil {
			return err
		}
		defer p.stop()
		pids = append(pids, p.cmd.Process.Pid)
		warm.Plans = append(warm.Plans, plan{Address: listen, Header: []string{accept, acceptIdentity}, Connections: 1})
	}
	if _, err := b.loader.order(order{Pace: &warm}); err != nil {
		return err
	}
	paced := warm
	paced.Every, paced.Scrapes = 15*time.Second, int(length/(15*time.Second))
	var scraped, idle activity
	if scraped, err = during(pids, func() error {
		_, err := b.loader.order(order{Pace: &paced})
		return err
	}); err != nil {
		return err
	}
	if idle, err = during(pids, func() error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(length):
			return nil
		}
	}); err != nil {
		return err
	}
	return b.reportFleet(pids, length, scraped, idle)
}

// during returns what the processes do while f runs.
func during(pids []int, f func() error) (activity, error) {
	before, err := activityOf(pids)
	if err != nil {
		return before, err
	}
	if err := f(); err != nil {
		return before, err
	}
	after, err := activityOf(pids)
	return after.minus(before), err
}

func (b *bench) reportFleet(pids []int, length time.Duration, scraped, idle activity) error {
	memory, err := footprintOf(pids)
	if err != nil {
		return err
	}
	descriptors, threads := 0, 0
	for _, pid := range pids {
		open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		if err != nil {
			return err
		}
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			return err
		}
		descriptors, threads = descriptors+len(open), threads+len(tasks)
	}
	// What one gate takes in a minute at a pace: its idle time and its scrapes.
	one := func(a activity) float64 { return a.CPU.Seconds() / length.Minutes() / fleetSize }
	scrape := (one(scraped) - one(idle)) / 4
	private, shared := mebi(memory.Private)/fleetSize, mebi(memory.Shared)/fleetSize
	r := b.report
	r.printf("\n### fifty gates\n\n%d gates, 300 series, identity, %s each. One gate: %.2f ms of CPU and %.1f "+
		"wake-ups a minute idle, %.2f ms a scrape every 15 s, %.1f MiB private and %.1f MiB shared, "+
		"%d descriptors, %d threads.\n\n", fleetSize, length, one(idle)*1e3,
		float64(idle.Wakes)/length.Minutes()/fleetSize, scrape*1e3, private, shared,
		descriptors/fleetSize, threads/fleetSize)
	r.printf("| gates | CPU at 15 s, cores | CPU at 60 s, cores | memory, MiB | descriptors | threads |\n" +
		"|---:|---:|---:|---:|---:|---:|\n")
	for _, n := range []float64{50, 200, 1000} {
		r.printf("| %.0f | %.4f | %.4f | %.0f | %.0f | %.0f |\n", n, n*(one(idle)+4*scrape)/60, n*(one(idle)+scrape)/60,
			n*private+shared, n*float64(descriptors)/fleetSize, n*float64(threads)/fleetSize)
	}
	return nil
}
