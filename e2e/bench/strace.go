package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// countSystemCalls runs one more round under strace and counts. Its times are not used.
func (b *bench) countSystemCalls(s scenario, c contestant, f *figures) error {
	if _, err := b.loader.order(order{Open: &c.plan}); err != nil {
		return err
	}
	path := filepath.Join(b.dir, "strace")
	argv := []string{program("strace"), "-c", "-f", "-q", "-U", "name,calls", "-o", path}
	for _, pid := range c.pids {
		argv = append(argv, "-p", strconv.Itoa(pid))
	}
	p, err := spawn(context.Background(), "strace", nil, argv...)
	if err != nil {
		return err
	}
	if err := traced(c.pids); err != nil {
		return err
	}
	_, err = b.loader.order(order{Run: s.scrapes})
	_ = p.cmd.Process.Signal(syscall.SIGINT)
	<-p.done
	if err != nil {
		return err
	}
	table, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("strace: %w: %s", err, p.log.String())
	}
	f.systemCalls, f.systemCallsNames = countsOf(string(table), s.scrapes)
	return nil
}

// traced waits until every process has a tracer.
func traced(pids []int) error {
	return harness.Poll(5*time.Second, func() error {
		for _, pid := range pids {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if err != nil {
				return err
			}
			if bytes.Contains(status, []byte("TracerPid:\t0\n")) {
				return fmt.Errorf("process %d: strace is not attached", pid)
			}
		}
		return nil
	})
}

// countsOf parses strace's table: name, calls.
func countsOf(table string, scrapes int) (total float64, names string) {
	type count struct {
		name string
		each float64
	}
	var list []count
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) != 2 {
			continue
		}
		n, err := strconv.Atoi(fields[1])
		if err != nil {
			continue
		}
		each := float64(n) / float64(scrapes)
		if fields[0] == "total" {
			total = each
		} else {
			list = append(list, count{fields[0], each})
		}
	}
	slices.SortFunc(list, func(a, b count) int { return int(1000 * (b.each - a.each)) })
	var parts []string
	for _, c := range list[:min(6, len(list))] {
		if c.each >= 0.05 {
			parts = append(parts, fmt.Sprintf("%s %.1f", c.name, c.each))
		}
	}
	return total, strings.Join(parts, ", ")
}
