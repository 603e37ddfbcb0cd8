package main

import (
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// crowd is an order for kept scrapers and, at the same time, newcomers: new connections at a rate,
// each for one scrape.
type crowd struct {
	Plan      plan          // of all; Connections is the number of kept scrapers
	Every     time.Duration // between two scrapes of a kept scraper
	Rate      int           // newcomers a second
	Anonymous bool          // newcomers have no certificate, and come from another address
	For       time.Duration
}

// anonymousAddress is where newcomers without a certificate come from.
const anonymousAddress = "127.0.0.2"

// crowd returns the latencies of the kept scrapers. Lost counts the scrapes that failed, of
// kept scrapers and of newcomers; one without a certificate must fail.
func (l *load) crowd(c crowd) (r result) {
	var mu sync.Mutex
	var times []time.Duration
	note := func(newcomer bool, took time.Duration, wrong bool) {
		mu.Lock()
		defer mu.Unlock()
		if newcomer {
			r.Newcomers++
		} else {
			times = append(times, took)
		}
		if wrong {
			r.Lost++
		}
	}
	begin := time.Now()
	var group sync.WaitGroup
	for i := range c.Plan.Connections {
		group.Go(func() {
			s := newScraper(l.pki, c.Plan)
			defer s.close()
			turn := begin.Add(c.Every * time.Duration(i) / time.Duration(c.Plan.Connections))
			for ; turn.Before(begin.Add(c.For)); turn = turn.Add(c.Every) {
				time.Sleep(time.Until(turn)) //permit:time.Sleep the pace of the scraper
				start := time.Now()
				_, err := s.scrape(io.Discard)
				note(false, time.Since(start), err != nil)
			}
		})
	}
	newcomer := c.Plan
	newcomer.Anonymous = c.Anonymous
	for i := range c.Rate * int(c.For/time.Second) {
		turn := begin.Add(time.Second * time.Duration(i) / time.Duration(c.Rate))
		time.Sleep(time.Until(turn)) //permit:time.Sleep the rate
		group.Go(func() {
			s := newScraper(l.pki, newcomer)
			if c.Anonymous {
				s.from = &net.TCPAddr{IP: net.ParseIP(anonymousAddress)}
			}
			defer s.close()
			_, err := s.scrape(io.Discard)
			note(true, 0, (err != nil) != c.Anonymous)
		})
	}
	group.Wait()
	slices.Sort(times)
	r.Median, r.P99 = times[len(times)/2], times[len(times)*99/100]
	return r
}
