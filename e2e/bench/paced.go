package main

import (
	"fmt"
	"math"
	"slices"
)

// paced is a proxy with its own runner, its plan, and what it cost.
type paced struct {
	name          string
	processes     int // that count as this one
	target        int // its place in the tables
	plan          plan
	proxy, runner []int       // processes
	spent         [2]activity // of proxy and runner, in all intervals
	cpu, latency  [][]float64 // of each interval and process, in µs
	bytes         int64       // of an answer
	memory        footprint
}

// together joins the processes of each program.
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
		for i := range c.cpu {
			one.cpu[i] = append(one.cpu[i], c.cpu[i]...)
			one.latency[i] = append(one.latency[i], c.latency[i]...)
		}
		one.processes += c.processes
		one.memory.Private += c.memory.Private
		one.memory.Shared += c.memory.Shared
	}
	return all
}

// asUsed prints a table. Ratios are against nginx with the same bytes, or the first program without it.
func (r *report) asUsed(title string, list []*paced, rested bool) {
	r.printf("\n### %s\n\n", title)
	memory := "Memory does not rest"
	if rested {
		memory = "Memory rests between scrapes"
	}
	r.printf("300 series, %d processes of each program, %d intervals, idle time included. %s. CPU and latency are "+
		"medians. A ratio is the mean of those within the intervals, with its standard error in this run; runs "+
		"differ by more. The rest are means.\n\n", list[0].processes, len(list[0].cpu), memory)
	r.printf("| | CPU, µs | ratio | mean, µs | runner CPU, µs | wake-ups | time slices | page faults " +
		"| median latency, µs | ratio | body, kB | private, MiB | shared, MiB |\n" +
		"|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	base := find(list, sameBytes)
	if base == nil {
		base = list[0]
	}
	for _, c := range list {
		processes := float64(c.processes)
		each := func(n int64) float64 { return float64(n) / processes / float64(len(c.cpu)) }
		r.printf("| %s | %.0f | %s | %.0f | %.0f | %.1f | %.1f | %.1f | %.0f | %s | %.1f | %.1f | %.1f |\n",
			c.name, median(slices.Concat(c.cpu...)), withError(ratioWithin(c.cpu, base.cpu)),
			each(c.spent[0].CPU.Microseconds()), each(c.spent[1].CPU.Microseconds()),
			each(c.spent[0].Wakes), each(c.spent[0].Slices), each(c.spent[0].Faults),
			median(slices.Concat(c.latency...)), withError(ratioWithin(c.latency, base.latency)),
			float64(c.bytes)/1e3, mebi(c.memory.Private)/processes, mebi(c.memory.Shared)/processes)
	}
}

// asUsedBars records the figures of 15 s and identity that have a bar.
func (r *report) asUsedBars(list []*paced) {
	if base := find(list, sameBytes); base != nil {
		cpu, _ := ratioWithin(list[0].cpu, base.cpu)
		latency, _ := ratioWithin(list[0].latency, base.latency)
		r.bar("as used: CPU of an interval of 15 s against nginx with the same bytes", cpu, 1.5, "×")
		r.bar("as used: median latency against nginx with the same bytes", latency, 1, "×")
	}
}

// ratioWithin returns the geometric mean, over the intervals, of the ratio of the processes' medians, and
// its standard error. What the machine does to all of them in an interval has no part in it.
func ratioWithin(a, b [][]float64) (mean, deviation float64) {
	var sum, squares float64
	for i := range a {
		x := math.Log(median(a[i]) / median(b[i]))
		sum += x
		squares += x * x
	}
	n := float64(len(a))
	variance := max(0, squares-sum*sum/n) / max(1, n-1)
	mean = math.Exp(sum / n)
	return mean, mean * math.Sqrt(variance/n)
}

func withError(value, deviation float64) string { return fmt.Sprintf("%.2f ± %.2f", value, deviation) }

// find returns the proxy with that name, or nil.
func find(list []*paced, name string) *paced {
	i := slices.IndexFunc(list, func(c *paced) bool { return c.name == name })
	if i < 0 {
		return nil
	}
	return list[i]
}
