package main

import (
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// pace is an order for scrapes as Prometheus sends them: each plan has a connection of its
// own, which stays open, and is scraped once in every interval, at a random time of its own. So
// what the machine does at regular times, and which plan comes before, is shared by all.
type pace struct {
	Plans   []plan
	Every   time.Duration
	Scrapes int // of each plan
}

// pace scrapes all plans. The result has one entry for each plan. An error of a plan ends
// that plan and is in its entry.
func (l *load) pace(p pace) result {
	if l.paced == nil {
		l.paced = map[string]*scraper{}
	}
	results := make([]result, len(p.Plans))
	turns := p.turns(time.Now())
	var group sync.WaitGroup
	for i, one := range p.Plans {
		s := l.paced[one.Address]
		if s == nil {
			s = newScraper(l.pki, one)
			l.paced[one.Address] = s
		}
		group.Go(func() { results[i] = s.paced(turns[i]) })
	}
	end := time.Now().Add(p.Every * time.Duration(p.Scrapes))
	group.Wait()
	time.Sleep(time.Until(end)) //permit:time.Sleep the last interval is measured too
	return result{Paced: results}
}

// turns returns when each plan is scraped: every interval is divided into as many parts as there
// are plans, each plan gets one of them by lot, and a random time in it.
func (p pace) turns(begin time.Time) [][]time.Time {
	all := make([][]time.Time, len(p.Plans))
	part := p.Every / time.Duration(len(p.Plans))
	for range p.Scrapes {
		for place, i := range rand.Perm(len(p.Plans)) {
			all[i] = append(all[i], begin.Add(time.Duration(place)*part+rand.N(part/2)))
		}
		begin = begin.Add(p.Every)
	}
	return all
}

// paced scrapes at each of turns.
func (s *scraper) paced(turns []time.Time) (r result) {
	var times []time.Duration
	for _, turn := range turns {
		time.Sleep(time.Until(turn)) //permit:time.Sleep the pace of the scraper
		start := time.Now()
		size, err := s.scrape(io.Discard)
		if err != nil {
			s.close()
			r.Err = err.Error()
			return r
		}
		times = append(times, time.Since(start))
		r.Bytes, r.Suite = size, s.suite
	}
	slices.Sort(times)
	r.Median, r.P99 = times[len(times)/2], times[len(times)*99/100]
	return r
}
