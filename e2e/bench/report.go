package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
)

// Titles that the bars refer to.
const (
	titleSmall     = "identity, 300 series"
	titleLarge     = "identity, 100,000 series"
	titleGzipSmall = "gzip, 300 series"
	titleGzipLarge = "gzip, 100,000 series"
	titleFresh     = "new connection for each scrape"
)

// baseline is the proxy in the denominator of the ratios.
const baseline = "nginx"

// report prints Markdown.
type report struct {
	out  io.Writer
	list []bar
}

// bar is a figure and its upper limit.
type bar struct {
	what         string
	value, limit float64
	unit         string
}

func (r *report) printf(format string, arguments ...any) {
	_, _ = fmt.Fprintf(r.out, format, arguments...)
}

func (r *report) bar(what string, value, limit float64, unit string) {
	r.list = append(r.list, bar{what, value, limit, unit})
}

func (r *report) machine() {
	model := "unknown processor"
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
		}
	}
	r.printf("%d processors (%s), %s. CPU is user and system time of the proxy's processes, in µs a scrape; "+
		"ratios are medians over rounds, each against %s in the same round.\n", runtime.NumCPU(), model,
		runtime.Version(), baseline)
}

// comparison prints one scenario.
func (r *report) comparison(s scenario, all []figures) {
	r.printf("\n### %s\n\n", s.title)
	r.printf("%d rounds of %d scrapes.\n\n", s.rounds, s.scrapes)
	r.printf("| | proxy CPU, µs | ratio | runner CPU, µs | both, ratio | median latency, µs | ratio | p99, µs | "+
		"body, kB | RSS, MiB | peak |%s\n",
		r.extra(all, " system calls |"))
	r.printf("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|%s\n", r.extra(all, "---|"))
	base := all[max(0, slices.IndexFunc(all, func(f figures) bool { return f.name == baseline }))]
	for _, f := range all {
		r.printf("| %s | %.0f | %.2f | %.0f | %.2f | %.0f | %.2f | %.0f | %.1f | %.1f | %.1f |", f.name,
			median(f.proxy), ratio(f.proxy, base.proxy), median(f.runner), ratio(f.both(), base.both()),
			median(f.median), ratio(f.median, base.median), median(f.p99), float64(f.bytes)/1e3,
			mebi(f.after.Resident), mebi(f.after.Peak))
		if f.systemCallsNames != "" {
			r.printf(" %.1f: %s |", f.systemCalls, f.systemCallsNames)
		}
		r.printf("\n")
	}
	r.printf("\nTLS: %s.\n", suites(all))
	r.explain(all)
	if base.name == baseline {
		r.raise(s, all, base)
	}
}

// explain describes the row of nginx with the same bytes.
func (r *report) explain(all []figures) {
	if slices.ContainsFunc(all, func(f figures) bool { return f.name == sameBytes }) {
		r.printf("\n%s: the same %s before a runner that has put the label on its samples already. It passes on "+
			"as many bytes as "+
			"the gate sends, without looking at them.\n", sameBytes, baseline)
	}
}

func (r *report) extra(all []figures, column string) string {
	if all[0].systemCallsNames == "" {
		return ""
	}
	return column
}

// raise records the figures that have a bar. The fair comparison for a labelling proxy is nginx
// that sends as many bytes.
func (r *report) raise(s scenario, all []figures, base figures) {
	gate := all[0]
	switch s.title {
	case titleSmall, titleLarge:
		if i := slices.IndexFunc(all, func(f figures) bool { return f.name == sameBytes }); i >= 0 {
			same := all[i]
			r.bar(s.title+": CPU against "+sameBytes, ratio(gate.proxy, same.proxy), 1, "×")
			r.bar(s.title+": median latency against "+sameBytes, ratio(gate.median, same.median), 1, "×")
		}
		if last := all[len(all)-1]; last.name == reverseName {
			r.bar(s.title+": CPU against ReverseProxy", ratio(gate.proxy, last.proxy), 0.5, "×")
		}
		r.bar(s.title+": resident", mebi(gate.after.Resident),
			map[string]float64{titleSmall: 15, titleLarge: 20}[s.title], "MiB")
		if s.title == titleSmall {
			r.bar(s.title+": CPU against nginx", ratio(gate.proxy, base.proxy), 1.05, "×")
		}
	case titleGzipSmall, titleGzipLarge:
		r.bar(s.title+": CPU of runner and proxy against nginx", ratio(gate.both(), base.both()),
			map[string]float64{titleGzipSmall: 0.5, titleGzipLarge: 0.3}[s.title], "×")
	case titleFresh:
		r.bar(s.title+": CPU against nginx", ratio(gate.proxy, base.proxy), 1, "×")
	}
}

// bars prints every bar and whether it holds.
func (r *report) bars() {
	if len(r.list) == 0 {
		return
	}
	r.printf("\n### Bars\n\n| | is | at most | |\n|---|---:|---:|---|\n")
	for _, b := range r.list {
		verdict := "holds"
		if b.value > b.limit {
			verdict = "**does not hold**"
		}
		r.printf("| %s | %.3g %s | %g %s | %s |\n", b.what, b.value, b.unit, b.limit, b.unit, verdict)
	}
}

func (f figures) both() []float64 {
	sum := slices.Clone(f.proxy)
	for i := range sum {
		sum[i] += f.runner[i]
	}
	return sum
}

func suites(all []figures) string {
	var list []string
	for _, f := range all {
		list = append(list, f.name+" "+f.suite)
	}
	return strings.Join(list, ", ")
}

// ratio returns the median of the ratios of the rounds.
func ratio(a, b []float64) float64 {
	each := make([]float64, 0, len(a))
	for i := range a {
		each = append(each, a[i]/b[i])
	}
	return median(each)
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

func mebi(n int64) float64 { return float64(n) / (1 << 20) }
