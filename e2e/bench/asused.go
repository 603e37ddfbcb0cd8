package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// paced is a proxy with its own runner, its plan, and what it cost.
type paced struct {
	name          string
	target        int // its place in the tables
	plan          plan
	proxy, runner []int       // processes
	spent         [2]activity // of proxy and runner, in all intervals
	cpu, latency  []float64   // of each interval, in µs
	bytes         int64       // of an answer
	memory        footprint
}

// copies is how many processes of each program run in the sections "as used" and "idle": where the memory
// of one happens to lie changes what it costs by a factor of two.
const copies = 3

// asUsed returns sections that measure what a scrape costs at the pace of Prometheus, including the
// idle time between scrapes. All proxies run at the same time and are scraped in turns.
func (b *bench) asUsed() (list []section) {
	every := []time.Duration{15 * time.Second, time.Second}
	scrapes := []int{16, 60}
	if b.options.quick {
		scrapes = []int{2, 15}
	}
	for i := range every {
		for _, encoding := range []string{acceptIdentity, acceptGzip} {
			title := fmt.Sprintf("as used: a scrape every %s, %s", every[i], encoding[len("Accept-Encoding: "):])
			list = append(list, section{title, func(ctx context.Context) error {
				all, stop, err := b.startPaced(ctx, encoding)
				if err == nil {
					err = b.measurePaced(all, every[i], scrapes[i])
				}
				stop()
				if err != nil {
					return fmt.Errorf("%s: %w", title, err)
				}
				all = together(all)
				b.report.asUsed(title, all, scrapes[i])
				if i == 0 && encoding == acceptIdentity {
					b.report.asUsedBars(all)
				}
				return nil
			}})
		}
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
	for range copies {
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
			list = append(list, &paced{name: t.name, target: place, proxy: []int{p.cmd.Process.Pid},
				runner: []int{runner.cmd.Process.Pid},
				plan:   plan{Address: listen, Header: []string{accept, encoding}}})
		}
	}
	slices.SortFunc(list, func(x, y *paced) int { return x.target - y.target })
	return list, stop, nil
}

// together joins the copies of each program.
func together(list []*paced) (all []*paced) {
	for _, c := range list {
		one := find(all, c.name)
		if one == nil {
			all = append(all, c)
			continue
		}
		for k := range c.spent {
			one.spent[k] = one.spent[k].plus(c.spent[k])
		}
		one.cpu, one.latency = append(one.cpu, c.cpu...), append(one.latency, c.latency...)
		one.memory.Private += c.memory.Private
		one.memory.Shared += c.memory.Shared
	}
	return all
}

// settleTime is how long a proxy is scraped at its pace before it is measured: what a start leaves
// to do is over by then.
const settleTime = 150 * time.Second

// measurePaced lets the proxies settle, and measures whole intervals.
func (b *bench) measurePaced(list []*paced, every time.Duration, scrapes int) error {
	p := pace{Every: every, Scrapes: int(settleTime / every)}
	if b.options.quick {
		p = pace{Every: time.Second, Scrapes: 5}
	}
	for _, c := range list {
		p.Plans = append(p.Plans, c.plan)
	}
	if _, err := b.loader.order(order{Pace: &p}); err != nil {
		return err
	}
	for _, c := range list {
		c.proxy = familyOf(c.proxy[0])
	}
	p.Every, p.Scrapes = every, 1
	for range scrapes {
		if err := b.interval(list, p); err != nil {
			return err
		}
	}
	for _, c := range list {
		var err error
		if c.memory, err = footprintOf(c.proxy); err != nil {
			return err
		}
	}
	return nil
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
		c.cpu = append(c.cpu, float64(after[0].minus(before[i][0]).CPU.Nanoseconds())/1e3)
		c.latency = append(c.latency, float64(answer.Median.Nanoseconds())/1e3)
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

// asUsed prints a table. Ratios are against nginx with the same bytes.
func (r *report) asUsed(title string, list []*paced, scrapes int) {
	r.printf("\n### %s\n\n", title)
	r.printf("300 series, %d processes of each program, %d intervals, idle time included. CPU and latency are "+
		"medians of the intervals, the rest are means.\n\n", copies, scrapes)
	r.printf("| | CPU, µs | ratio | mean, µs | runner CPU, µs | wake-ups | time slices | page faults " +
		"| median latency, µs | ratio | body, kB | private, MiB | shared, MiB |\n" +
		"|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	base := find(list, sameBytes)
	for _, c := range list {
		each := func(n int64) float64 { return float64(n) / float64(len(c.cpu)) }
		r.printf("| %s | %.0f | %.2f | %.0f | %.0f | %.1f | %.1f | %.1f | %.0f | %.2f | %.1f | %.1f | %.1f |\n",
			c.name, median(c.cpu), c.over(base, cpu), each(c.spent[0].CPU.Microseconds()),
			each(c.spent[1].CPU.Microseconds()),
			each(c.spent[0].Wakes), each(c.spent[0].Slices), each(c.spent[0].Faults),
			median(c.latency), c.over(base, latency), float64(c.bytes)/1e3,
			mebi(c.memory.Private)/copies, mebi(c.memory.Shared)/copies)
	}
}

// asUsedBars records the figures of 15 s and identity that have a bar.
func (r *report) asUsedBars(list []*paced) {
	if base := find(list, sameBytes); base != nil {
		r.bar("as used: CPU of an interval of 15 s against nginx with the same bytes", list[0].over(base, cpu),
			1.5, "×")
		r.bar("as used: median latency against nginx with the same bytes", list[0].over(base, latency), 1, "×")
	}
}

func cpu(c *paced) float64     { return median(c.cpu) }
func latency(c *paced) float64 { return median(c.latency) }

// over returns the ratio of a figure to that of base, 0 without base.
func (c *paced) over(base *paced, figure func(*paced) float64) float64 {
	if base == nil {
		return 0
	}
	return figure(c) / figure(base)
}

// find returns the proxy with that name, or nil.
func find(list []*paced, name string) *paced {
	i := slices.IndexFunc(list, func(c *paced) bool { return c.name == name })
	if i < 0 {
		return nil
	}
	return list[i]
}
