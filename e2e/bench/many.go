package main

import (
	"context"
	"fmt"
	"time"
)

// many measures 200 new TLS connections a second beside ten kept scrapers: of known
// scrapers, and of strangers without a certificate.
func (b *bench) many(ctx context.Context) error {
	length := 20 * time.Second
	if b.options.quick {
		length = 5 * time.Second
	}
	runner, address, err := b.startRunner(ctx, rolePlain, 300)
	if err != nil {
		return err
	}
	defer runner.stop()
	b.report.printf("\n### many at once\n\n10 kept scrapers, ten times a second each, and new connections for %s. "+
		"CPU is what a new connection adds.\n\n", length)
	b.report.printf("| | new connections a second | CPU of one, µs | median latency, µs | p99, µs | lost " +
		"| peak RSS, MiB |\n|---|---:|---:|---:|---:|---:|---:|\n")
	strangers := map[string]float64{}
	for i, t := range b.targets {
		if t.sameBytes {
			continue
		}
		p, listen, err := b.startTarget(ctx, t, address)
		if err != nil {
			return err
		}
		defer p.stop()
		c := crowd{Plan: plan{Address: listen, Header: []string{accept, acceptIdentity}, Connections: 10},
			Every: 100 * time.Millisecond, For: length}
		if strangers[t.name], err = b.crowds(t.name, p.cmd.Process.Pid, c, i == 0); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	b.report.bar("a stranger's connection: CPU against nginx", strangers[b.targets[0].name]/strangers[baseline], 1, "×")
	return nil
}

// crowds measures one proxy without newcomers, with known ones and with strangers. It returns
// the CPU of a stranger's connection in µs.
func (b *bench) crowds(name string, pid int, c crowd, bars bool) (float64, error) {
	var alone, each float64 // µs of CPU
	for _, newcomers := range []struct {
		what      string
		rate      int
		strangers bool
	}{{"none", 0, false}, {"200 known", 200, false}, {"200 strangers", 200, true}} {
		c.Rate, c.Strangers = newcomers.rate, newcomers.strangers
		pids := familyOf(pid)
		before, err := cpuTime(pids)
		if err != nil {
			return 0, err
		}
		r, err := b.loader.order(order{Crowd: &c})
		if err != nil {
			return 0, err
		}
		after, err := cpuTime(pids)
		if err != nil {
			return 0, err
		}
		used := float64((after - before).Microseconds())
		if newcomers.rate == 0 {
			alone = used
		} else {
			each = (used - alone) / float64(r.Newcomers)
		}
		m, err := memoryOf(pids)
		if err != nil {
			return 0, err
		}
		b.report.printf("| %s | %s | %.0f | %.0f | %.0f | %d | %.1f |\n", name, newcomers.what, each,
			float64(r.Median.Microseconds()), float64(r.P99.Microseconds()), r.Lost, mebi(m.Peak))
		if bars && newcomers.rate > 0 {
			b.report.bar("p99 beside "+newcomers.what+" a second", float64(r.P99.Microseconds())/1e3, 50, "ms")
			b.report.bar("lost beside "+newcomers.what+" a second", float64(r.Lost), 0, "")
			b.report.bar("resident beside "+newcomers.what+" a second", mebi(m.Peak), 30, "MiB")
		}
	}
	return each, nil
}
