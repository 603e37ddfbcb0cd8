package main

import (
	"context"
	"fmt"
	"time"
)

// many measures 200 new TLS connections a second with ten kept scrapers: of known
// scrapers, and of clients without a certificate.
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
	anonymous := map[string]float64{}
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
		if anonymous[t.name], err = b.crowds(t.name, p.cmd.Process.Pid, c, i == 0); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	b.report.bar("a connection without certificate: CPU against nginx",
		anonymous[b.targets[0].name]/anonymous[baseline], 1, "×")
	return nil
}

// crowds measures one proxy without newcomers, with known ones and with ones that have no
// certificate. It returns the CPU of a connection of the last in µs.
func (b *bench) crowds(name string, pid int, c crowd, bars bool) (float64, error) {
	var alone, each float64 // µs of CPU
	for _, newcomers := range []struct {
		what      string
		rate      int
		anonymous bool
	}{{"none", 0, false}, {"200 known", 200, false}, {"200 without certificate", 200, true}} {
		c.Rate, c.Anonymous = newcomers.rate, newcomers.anonymous
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
			b.report.bar("p99 with "+newcomers.what+" a second", float64(r.P99.Microseconds())/1e3, 50, "ms")
			b.report.bar("lost with "+newcomers.what+" a second", float64(r.Lost), 0, "")
			b.report.bar("resident with "+newcomers.what+" a second", mebi(m.Peak), 30, "MiB")
		}
	}
	return each, nil
}
