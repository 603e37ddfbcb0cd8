package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/google/pprof/profile"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// writeProfile builds the gate with a profiler, which no release has, scrapes it and
// writes the CPU profile to path.
func (b *bench) writeProfile(ctx context.Context, path string) error {
	if len(b.options.gates) != 1 {
		return fmt.Errorf("-profile: builds its own gate: leave -gate out")
	}
	source, err := testdata.ReadFile("testdata/profiler.go.txt")
	if err != nil {
		return err
	}
	root, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	file := filepath.Join(b.dir, "profiler.go")
	if err := os.WriteFile(file, source, 0o600); err != nil {
		return err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root,
		"cmd/metrics-gate/profiler.go"): file}})
	if err != nil {
		return err
	}
	overlaid := filepath.Join(b.dir, "overlay.json")
	if err := os.WriteFile(overlaid, overlay, 0o600); err != nil {
		return err
	}
	binary, err := buildGate(ctx, b.dir, "-pgo=off", "-overlay="+overlaid)
	if err != nil {
		return err
	}
	return b.profiled(ctx, binary, path)
}

// profiled scrapes with a typical mix: mostly small bodies, plain and compressed, with some
// large ones and some new connections.
func (b *bench) profiled(ctx context.Context, binary, path string) error {
	small, smallAddress, err := b.startRunner(ctx, rolePlain, 300)
	if err != nil {
		return err
	}
	defer small.stop()
	large, largeAddress, err := b.startRunner(ctx, rolePlain, 100000)
	if err != nil {
		return err
	}
	defer large.stop()
	merged := []string{}
	for i, address := range []string{smallAddress, largeAddress} {
		out := filepath.Join(b.dir, fmt.Sprintf("cpu-%d.pprof", i))
		merged = append(merged, out)
		p, listen, err := b.startTarget(ctx, gateTarget(binary), address, "GATE_PROFILE="+out)
		if err != nil {
			return err
		}
		err = b.mix(listen, i == 1)
		_ = p.cmd.Process.Signal(syscall.SIGUSR2)
		if err == nil {
			err = harness.Poll(10*time.Second, func() error {
				_, err := os.Stat(out)
				return err
			})
		}
		p.stop()
		if err != nil {
			return err
		}
	}
	return merge(path, merged)
}

// merge writes the sum of profiles to path, without paths and times: the compiler needs
// only the call counts between functions.
func merge(path string, parts []string) error {
	var all []*profile.Profile
	for _, part := range parts {
		data, err := os.ReadFile(part)
		if err != nil {
			return err
		}
		p, err := profile.ParseData(data)
		if err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
		all = append(all, p)
	}
	sum, err := profile.Merge(all)
	if err != nil {
		return err
	}
	for _, m := range sum.Mapping {
		m.File, m.BuildID = "metrics-gate", ""
	}
	sum.TimeNanos = 0
	var out bytes.Buffer
	if err := sum.Write(&out); err != nil {
		return err
	}
	return os.WriteFile(path, out.Bytes(), 0o644)
}

// mix scrapes each gate for about the same time.
func (b *bench) mix(address string, large bool) error {
	identity := plan{Address: address, Header: []string{accept, acceptIdentity}, Connections: 1}
	packed, fresh := identity, identity
	packed.Header, fresh.Fresh = []string{accept, acceptGzip}, true
	type part struct {
		plan plan
		n    int
	}
	parts := []part{{identity, 160000}, {packed, 20000}, {fresh, 3000}}
	if large {
		parts = []part{{identity, 300}, {packed, 60}}
	}
	for _, p := range parts {
		if _, err := b.loader.order(order{Open: &p.plan}); err != nil {
			return err
		}
		if _, err := b.loader.order(order{Run: p.n}); err != nil {
			return err
		}
	}
	return nil
}
