package main

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
)

// idle measures what every proxy costs without a scrape: after one scrape and the close of
// its connection. The gate runs twice: with certificates alone, and with tokens, a
// revocation list and an issuer as well.
func (b *bench) idle(ctx context.Context) error {
	all, err := b.allMethods()
	if err != nil {
		return err
	}
	runner, address, err := b.startRunner(ctx, rolePlain, 300)
	if err != nil {
		return err
	}
	defer runner.stop()
	targets := append([]target{b.targets[0]}, b.targets...)
	names, pids := []string{}, [][]int{}
	for i, t := range targets {
		if t.sameBytes {
			continue
		}
		name, environ := t.name, []string(nil)
		if i == 0 {
			name, environ = t.name+" with tokens, list and issuer", all
		}
		var family []int
		for range b.options.copies {
			p, listen, err := b.startTarget(ctx, t, address, environ...)
			if err != nil {
				return err
			}
			defer p.stop()
			one := plan{Address: listen, Header: []string{accept, acceptIdentity}, Connections: 1}
			if _, err := b.loader.order(order{Open: &one, Once: true}); err != nil {
				return err
			}
			family = append(family, familyOf(p.cmd.Process.Pid)...)
		}
		names, pids = append(names, name), append(pids, family)
	}
	// An empty plan closes the last connection.
	if _, err := b.loader.order(order{Open: &plan{}}); err != nil {
		return err
	}
	return b.reportIdle(ctx, names, pids)
}

// wait waits for d, or the end of ctx.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// reportIdle waits until the start is over, and prints the activity of a minute.
func (b *bench) reportIdle(ctx context.Context, names []string, pids [][]int) error {
	length, copies := b.options.idle, float64(b.options.copies)
	if !b.options.quick {
		if err := wait(ctx, settleTime); err != nil {
			return err
		}
	}
	before := make([]activity, len(pids))
	for i := range pids {
		var err error
		if before[i], err = activityOf(pids[i]); err != nil {
			return err
		}
	}
	if err := wait(ctx, length); err != nil {
		return err
	}
	b.report.printf("\n### idle\n\n%s without a scrape. All figures are means of %.0f processes, per minute.\n\n",
		length, copies)
	b.report.printf("| | CPU, ms | wake-ups | time slices | page faults | private, MiB | shared, MiB |\n" +
		"|---|---:|---:|---:|---:|---:|---:|\n")
	for i := range pids {
		after, err := activityOf(pids[i])
		if err != nil {
			return err
		}
		memory, err := footprintOf(pids[i])
		if err != nil {
			return err
		}
		d, minutes := after.minus(before[i]), copies*length.Minutes()
		b.report.printf("| %s | %.2f | %.1f | %.1f | %.1f | %.1f | %.1f |\n", names[i], d.CPU.Seconds()*1e3/minutes,
			float64(d.Wakes)/minutes, float64(d.Slices)/minutes, float64(d.Faults)/minutes,
			mebi(memory.Private)/copies, mebi(memory.Shared)/copies)
		if i == 0 {
			b.report.bar("idle: CPU of a minute", d.CPU.Seconds()*1e3/minutes, 2, "ms")
			b.report.bar("idle: wake-ups of a minute", float64(d.Wakes)/minutes, 40, "")
		}
	}
	return nil
}

// allMethods returns the variables of a gate that also has tokens, a revocation list and an issuer.
func (b *bench) allMethods() ([]string, error) {
	i, err := newIssuer(b.dir)
	if err != nil {
		return nil, err
	}
	_, line, err := auth.NewToken("bench")
	if err != nil {
		return nil, err
	}
	tokens := filepath.Join(b.dir, "idle-tokens")
	if err := os.WriteFile(tokens, []byte(line+"\n"), 0o600); err != nil {
		return nil, err
	}
	return append(i.environ(), "METRICS_GATE_TOKENS_FILE="+tokens,
		"METRICS_GATE_TLS_CLIENT_CRL_FILE="+b.pki.file("crl.pem")), nil
}
