package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// options are the command line.
type options struct {
	quick, strace bool
	only, profile string
	rounds        int
	copies        int
	rest          bool
	programs      string
	idle          time.Duration
	gates, others []string
}

// Headers of a scrape (Prometheus 3).
const (
	accept = "Accept: text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3," +
		"*/*;q=0.2"
	acceptGzip     = "Accept-Encoding: gzip"
	acceptIdentity = "Accept-Encoding: identity"
)

// run runs every section and prints the report.
func run(ctx context.Context, o options, out io.Writer) error {
	dir, err := os.MkdirTemp("", "metrics-gate-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b := &bench{options: o, dir: dir, report: &report{out: out}}
	if b.pki, err = makePKI(dir); err != nil {
		return err
	}
	if len(o.gates) == 0 {
		path, err := buildGate(ctx, dir)
		if err != nil {
			return err
		}
		b.options.gates = []string{"gate=" + path}
	}
	for _, spec := range b.options.gates {
		if spec == "none" {
			continue
		}
		b.targets = append(b.targets, gateTarget(spec))
	}
	others, missing := installed()
	for _, line := range missing {
		fmt.Fprintln(os.Stderr, line)
	}
	b.targets = append(b.targets, others...)
	for _, spec := range o.others {
		b.targets = append(b.targets, otherTarget(spec))
	}
	b.targets = append(b.targets, reverseTarget())
	programs, err := regexp.Compile(o.programs)
	if err != nil {
		return err
	}
	b.targets = slices.DeleteFunc(b.targets, func(t target) bool { return !programs.MatchString(t.name) })
	if len(b.targets) == 0 {
		return fmt.Errorf("-programs %s: no program has such a name", o.programs)
	}
	if b.loader, err = startLoader(ctx, dir); err != nil {
		return err
	}
	defer b.loader.stop()
	if o.profile != "" {
		return b.writeProfile(ctx, o.profile)
	}
	return b.sections(ctx)
}

// section is a part of the report with a title.
type section struct {
	title string
	do    func(context.Context) error
}

func (b *bench) sections(ctx context.Context) error {
	wanted, err := regexp.Compile(b.options.only)
	if err != nil {
		return err
	}
	b.report.machine()
	list := []section{}
	for _, s := range b.scenarios() {
		list = append(list, section{s.title, func(ctx context.Context) error {
			all, err := b.compare(ctx, s)
			if err == nil {
				b.report.comparison(s, all)
			}
			return err
		}})
	}
	list = append(list,
		section{"authentication", b.authentication},
		section{"scaling", b.scaling})
	list = append(list, b.asUsed()...)
	list = append(list,
		section{"idle", b.idle},
		section{"many at once", b.many},
		section{"fifty gates", b.fleet},
		section{"start and size", b.startAndSize})
	for _, s := range list {
		if !wanted.MatchString(s.title) {
			continue
		}
		b.layMemory()
		began := time.Now()
		if err := s.do(ctx); err != nil {
			return errors.Join(err, ctx.Err())
		}
		fmt.Fprintf(os.Stderr, "bench: %s: %.1f s\n", s.title, time.Since(began).Seconds())
	}
	if first := b.targets[0]; first.labels && !first.sameBytes { // a gate: bars are for no other
		b.report.bars()
	}
	return nil
}

// scenarios returns the scenarios in which all proxies are compared.
func (b *bench) scenarios() []scenario {
	identity := plan{Header: []string{accept, acceptIdentity}, Connections: 1}
	packed := plan{Header: []string{accept, acceptGzip}, Connections: 1}
	fresh, classical, parallel := identity, identity, identity
	fresh.Fresh, classical.Fresh, classical.Classical = true, true, true
	parallel.Connections = 16
	list := []scenario{
		{title: titleSmall, series: 300, scrapes: 400, rounds: 61, sameBytes: true, plan: identity},
		{title: titleLarge, series: 100000, scrapes: 8, rounds: 15, sameBytes: true, plan: identity},
		{title: titleGzipSmall, series: 300, scrapes: 150, rounds: 9, plan: packed},
		{title: titleGzipLarge, series: 100000, scrapes: 3, rounds: 7, plan: packed},
		{title: titleFresh, series: 300, scrapes: 100, rounds: 11, plan: fresh},
		{title: "new connection for each scrape, X25519 alone", series: 300, scrapes: 100, rounds: 7, plan: classical},
		{title: "16 scrapers at once", series: 300, scrapes: 640, rounds: 7, plan: parallel},
	}
	for i := range list {
		s := &list[i]
		if b.options.quick {
			s.rounds, s.scrapes = 3, max(2, s.scrapes/3)
		}
		if b.options.rounds > 0 {
			s.rounds = b.options.rounds
		}
	}
	return list
}

// buildGate builds the binary as the Makefile does.
func buildGate(ctx context.Context, dir string, arguments ...string) (string, error) {
	path := filepath.Join(dir, "metrics-gate")
	arguments = append([]string{"build", "-trimpath", "-ldflags", "-s -w", "-o", path}, arguments...)
	cmd := exec.CommandContext(ctx, "go", append(arguments, "./cmd/metrics-gate")...)
	cmd.Dir = ".." // the root of the project: bench runs in e2e
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}
