package main

import (
	"io"
	"slices"
	"sync"
	"time"
)

// pace is an order for scrapes as Prometheus sends them: each plan has a connection of its
// own, which stays open, and is scraped at every interval. The plans take turns within an
// interval.
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
	begin := time.Now()
	var group sync.WaitGroup
	for i, one := range p.Plans {
		s := l.paced[one.Address]
		if s == nil {
			s = newScraper(l.pki, one)
			l.paced[one.Address] = s
		}
		turn := begin.Add(time.Duration(i) * p.Every / time.Duration(len(p.Plans)))
		group.Go(func() { results[i] = s.paced(turn, p) })
	}
	group.Wait()
	end := begin.Add(p.Every * time.Duration(p.Scrapes))
	time.Sleep(time.Until(end)) //permit:time.Sleep the last interval is measured too
	return result{Paced: results}
}

// paced scrapes at turn and at every interval after it.
func (s *scraper) paced(turn time.Time, p pace) (r result) {
	var times []time.Duration
	for range p.Scrapes {
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
		turn = turn.Add(p.Every)
	}
	slices.Sort(times)
	r.Median, r.P99 = times[len(times)/2], times[len(times)*99/100]
	return r
}
