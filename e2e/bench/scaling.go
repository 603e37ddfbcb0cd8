package main

import (
	"context"
	"os"
	"strings"
	"time"
)

// scaling scrapes bodies of growing size, each with a new gate. Time per series and memory
// should stay constant.
func (b *bench) scaling(ctx context.Context) error {
	sizes := []int{300, 3000, 30000, 100000, 300000, 1000000}
	if b.options.quick {
		sizes = []int{300, 30000, 300000}
	}
	b.report.printf("\n### scaling\n\n| series | body, MB | proxy CPU, µs | ns a series | RSS, MiB | peak | " +
		"anonymous |\n|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, series := range sizes {
		s := scenario{title: "scaling", series: series, scrapes: max(2, 200000/series), rounds: 3,
			plan: plan{Header: []string{accept, acceptIdentity}, Connections: 1}}
		one := *b
		one.targets = b.targets[:1]
		one.options.strace = false
		all, err := one.compare(ctx, s)
		if err != nil {
			return err
		}
		f := all[0]
		b.report.printf("| %d | %.1f | %.0f | %.0f | %.1f | %.1f | %.1f |\n", series, float64(f.bytes)/1e6,
			median(f.proxy),
			1000*median(f.proxy)/float64(series), mebi(f.after.Resident), mebi(f.after.Peak), mebi(f.after.Anonymous))
	}
	return nil
}

// startAndSize prints the time from exec to the first answer, and the size of the binary.
func (b *bench) startAndSize(ctx context.Context) error {
	runner, address, err := b.startRunner(ctx, rolePlain, 300)
	if err != nil {
		return err
	}
	defer runner.stop()
	var times []float64
	for range 7 {
		began := time.Now()
		p, listen, err := b.startTarget(ctx, b.targets[0], address)
		if err != nil {
			return err
		}
		_, err = b.loader.order(order{Open: &plan{Address: listen, Header: []string{accept, acceptIdentity},
			Connections: 1}, Once: true})
		times = append(times, float64(time.Since(began).Microseconds())/1e3)
		p.stop()
		if err != nil {
			return err
		}
	}
	_, path, ok := strings.Cut(strings.Split(b.options.gates[0], ",")[0], "=")
	if !ok {
		path = b.options.gates[0]
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	b.report.printf("\n### start and size\n\nFrom start to the first answered scrape: %.0f ms (median of %d). "+
		"Binary: %.1f MB.\n",
		median(times), len(times), float64(info.Size())/1e6)
	b.report.bar("start to first answered scrape", median(times), 100, "ms")
	b.report.bar("binary, stripped", float64(info.Size())/1e6, 15, "MB")
	return nil
}
