package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// scenario is one way to scrape, the same for all proxies.
type scenario struct {
	title     string
	series    int // samples in the runner's body
	scrapes   int // per round
	rounds    int
	sameBytes bool // include the targets with sameBytes
	plan      plan
}

// contestant is a running proxy and the plan to scrape it.
type contestant struct {
	name   string
	labels bool // every sample of its answer must have the label
	plan   plan
	pid    int
	pids   []int // pid and its children, known after the first answer
	runner int   // the process of its upstream
}

// figures are the measurements of one contestant, a value per round.
type figures struct {
	name             string
	proxy, runner    []float64 // CPU, µs per scrape
	median, p99      []float64 // latency, µs
	after            memory
	bytes            int64
	suite            string
	systemCalls      float64
	systemCallsNames string
}

// bench is the state that all sections share.
type bench struct {
	options options
	dir     string
	pki     *pki
	loader  *loader
	report  *report
	targets []target
	release func() // what layMemory took
}

// compare runs s for every target, each in a new process, with interleaved rounds.
func (b *bench) compare(ctx context.Context, s scenario) ([]figures, error) {
	plain, plainAddress, err := b.startRunner(ctx, rolePlain, s.series)
	if err != nil {
		return nil, err
	}
	defer plain.stop()
	var list []contestant
	for _, t := range b.targets {
		runner, address := plain, plainAddress
		if t.sameBytes {
			if !s.sameBytes {
				continue
			}
			if runner, address, err = b.startRunner(ctx, roleLabelled, s.series); err != nil {
				return nil, err
			}
			defer runner.stop()
		}
		p, listen, err := b.startTarget(ctx, t, address)
		if err != nil {
			return nil, err
		}
		defer p.stop()
		own := s.plan
		own.Address = listen
		list = append(list,
			contestant{name: t.name, labels: t.labels, plan: own, pid: p.cmd.Process.Pid,
				runner: runner.cmd.Process.Pid})
	}
	return b.rounds(s, list)
}

// rounds measures every contestant in every round, in a random order: what ran before has a
// part in the figures.
func (b *bench) rounds(s scenario, list []contestant) ([]figures, error) {
	all := make([]figures, len(list))
	for i, c := range list {
		all[i].name = c.name
		if err := b.verify(s, c); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", s.title, c.name, err)
		}
		list[i].pids = familyOf(c.pid)
	}
	for range s.rounds {
		for _, i := range rand.Perm(len(list)) {
			if err := b.round(s, list[i], &all[i]); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", s.title, list[i].name, err)
			}
		}
	}
	for i, c := range list {
		var err error
		if all[i].after, err = memoryOf(c.pids); err != nil {
			return nil, err
		}
		if b.options.strace {
			if err := b.countSystemCalls(s, c, &all[i]); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// round connects, warms up and reads the processes' clocks before and after the scrapes.
func (b *bench) round(s scenario, c contestant, f *figures) error {
	if _, err := b.loader.order(order{Open: &c.plan}); err != nil {
		return err
	}
	clocks := func() (proxy, stand time.Duration, err error) {
		time.Sleep(3 * time.Millisecond) //permit:time.Sleep work after the last write ends
		if proxy, err = cpuTime(c.pids); err == nil {
			stand, err = cpuTime([]int{c.runner})
		}
		return proxy, stand, err
	}
	proxy, stand, err := clocks()
	if err != nil {
		return err
	}
	r, err := b.loader.order(order{Run: s.scrapes})
	if err != nil {
		return err
	}
	proxyAfter, standAfter, err := clocks()
	if err != nil {
		return err
	}
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / float64(s.scrapes) }
	f.proxy = append(f.proxy, each(proxyAfter-proxy))
	f.runner = append(f.runner, each(standAfter-stand))
	f.median = append(f.median, float64(r.Median.Nanoseconds())/1e3)
	f.p99 = append(f.p99, float64(r.P99.Nanoseconds())/1e3)
	f.bytes, f.suite = r.Bytes, r.Suite
	return nil
}

// verify checks one answer: a proxy that does not label must not be measured.
func (b *bench) verify(s scenario, c contestant) error {
	if _, err := b.loader.order(order{Open: &c.plan}); err != nil {
		return err
	}
	if s.series > 10000 || slices.Contains(c.plan.Header, acceptGzip) {
		return nil
	}
	r, err := b.loader.order(order{Show: true})
	if err != nil {
		return err
	}
	want, got := 0, bytes.Count(r.Body, []byte(`runner_name="`+runnerName+`"`))
	if c.labels {
		want = s.series
	}
	if got != want {
		return fmt.Errorf("%d samples have the label, not %d", got, want)
	}
	return nil
}

func (b *bench) startRunner(ctx context.Context, role string, series int) (*process, string, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, "", err
	}
	p, err := self(ctx, role, address, strconv.Itoa(series))
	if err != nil {
		return nil, "", err
	}
	return p, address, p.listening(address)
}

func (b *bench) startTarget(
	ctx context.Context, t target, upstream string, environ ...string,
) (*process, string, error) {
	listen, err := freeAddress()
	if err != nil {
		return nil, "", err
	}
	p, err := t.start(ctx, site{Dir: b.dir, Listen: listen, Upstream: upstream, environ: environ})
	if err != nil {
		return nil, "", err
	}
	return p, listen, p.listening(listen)
}
