package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"
)

// asUsed returns sections that measure what a scrape costs at the pace of Prometheus, including the
// idle time between scrapes. All proxies run at the same time and are scraped in turns.
func (b *bench) asUsed() (list []section) {
	for _, p := range []struct {
		every    time.Duration
		encoding string
		scrapes  int
	}{
		{15 * time.Second, acceptIdentity, 40},
		{15 * time.Second, acceptGzip, 16},
		{time.Second, acceptIdentity, 60},
		{time.Second, acceptGzip, 60},
	} {
		title := fmt.Sprintf("as used: a scrape every %s, %s", p.every, p.encoding[len("Accept-Encoding: "):])
		barred := len(list) == 0
		if b.options.quick {
			p.scrapes = map[time.Duration]int{15 * time.Second: 2, time.Second: 15}[p.every]
		}
		if b.options.rounds > 0 {
			p.scrapes = b.options.rounds
		}
		list = append(list, section{title, func(ctx context.Context) error {
			all, stop, err := b.startPaced(ctx, p.encoding)
			rested := true
			if err == nil {
				rested, err = b.measurePaced(all, p.every, p.scrapes)
			}
			stop()
			if err != nil {
				return fmt.Errorf("%s: %w", title, err)
			}
			all = together(all)
			b.report.asUsed(title, all, rested)
			if barred {
				b.report.asUsedBars(all)
			}
			return nil
		}})
	}
	return list
}

// startPaced starts copies of every proxy, each with its own runner, in an order by lot: who starts first
// gets the worst memory.
func (b *bench) startPaced(ctx context.Context, encoding string) (list []*paced, stop func(), err error) {
	var running []*process
	stop = func() {
		for _, p := range slices.Backward(running) {
			p.stop()
		}
	}
	for range b.options.copies {
		for _, place := range rand.Perm(len(b.targets)) {
			t, role := b.targets[place], rolePlain
			if t.sameBytes {
				role = roleLabelled
			}
			runner, address, err := b.startRunner(ctx, role, 300)
			if err != nil {
				return nil, stop, err
			}
			running = append(running, runner)
			p, listen, err := b.startTarget(ctx, t, address)
			if err != nil {
				return nil, stop, err
			}
			running = append(running, p)
			list = append(list, &paced{name: t.name, processes: 1, target: place, proxy: []int{p.cmd.Process.Pid},
				runner: []int{runner.cmd.Process.Pid},
				plan:   plan{Address: listen, Header: []string{accept, encoding}}})
		}
	}
	slices.SortFunc(list, func(x, y *paced) int { return x.target - y.target })
	return list, stop, nil
}

// settleTime is how long a proxy is scraped at its pace before it is measured: what a start leaves
// to do is over by then.
const settleTime = 150 * time.Second

// measurePaced lets the proxies settle, and measures whole intervals. It reports whether their memory
// rested meanwhile.
func (b *bench) measurePaced(list []*paced, every time.Duration, scrapes int) (rested bool, err error) {
	p := pace{Every: every, Scrapes: int(settleTime / every)}
	if b.options.quick {
		p = pace{Every: time.Second, Scrapes: 5}
	}
	for _, c := range list {
		p.Plans = append(p.Plans, c.plan)
	}
	if _, err := b.loader.order(order{Pace: &p}); err != nil {
		return true, err
	}
	pids := []int{b.loader.cmd.Process.Pid}
	for _, c := range list {
		c.proxy = familyOf(c.proxy[0])
		pids = append(append(pids, c.proxy...), c.runner...)
	}
	rested = true
	if !b.options.rest {
		if stop, err := keepTouched(pids); err != nil {
			fmt.Fprintln(os.Stderr, "bench: memory rests:", err)
		} else {
			rested = false
			defer stop()
		}
	}
	p.Every, p.Scrapes = every, 1
	for range scrapes {
		if err := b.interval(list, p); err != nil {
			return rested, err
		}
	}
	for _, c := range list {
		if c.memory, err = footprintOf(c.proxy); err != nil {
			return rested, err
		}
	}
	return rested, nil
}

// interval measures one interval of p. Its figures are kept apart from those of the others: now and
// then the host stops a virtual processor, and the time counts as the program's.
func (b *bench) interval(list []*paced, p pace) error {
	before := make([][2]activity, len(list))
	for i, c := range list {
		if err := c.read(&before[i]); err != nil {
			return err
		}
	}
	r, err := b.loader.order(order{Pace: &p})
	if err != nil {
		return err
	}
	for i, c := range list {
		var after [2]activity
		if err := c.read(&after); err != nil {
			return err
		}
		for k := range after {
			c.spent[k] = c.spent[k].plus(after[k].minus(before[i][k]))
		}
		answer := r.Paced[i]
		if answer.Err != "" {
			return fmt.Errorf("%s: %w", c.name, errors.New(answer.Err))
		}
		c.bytes = answer.Bytes
		c.cpu = append(c.cpu, []float64{float64(after[0].minus(before[i][0]).CPU.Nanoseconds()) / 1e3})
		c.latency = append(c.latency, []float64{float64(answer.Median.Nanoseconds()) / 1e3})
	}
	return nil
}

// read reads the activity of proxy and runner.
func (c *paced) read(to *[2]activity) (err error) {
	if to[0], err = activityOf(c.proxy); err != nil {
		return err
	}
	to[1], err = activityOf(c.runner)
	return err
}
