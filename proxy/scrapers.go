package proxy

import (
	"slices"
	"strings"
	"time"
)

// maxScrapers is how many scrapers an Observer keeps. A further one replaces the one that has
// been quiet for longest.
const maxScrapers = 32

// keptGaps is of how many gaps Scraper.Interval is the median: one visit by hand does not change it.
const keptGaps = 5

// Scraper is an identity that asks for the runner's metrics from one address.
type Scraper struct {
	Address     string        // of the peer, without a port
	Latest      Scrape        // may have failed
	Interval    time.Duration // median of the latest gaps between requests; 0: there is one request
	LastSuccess time.Time     // when the latest good scrape came; zero: none
	Scrapes     int64         // since the start
	Failed      int64         // of these
	gaps        [keptGaps]time.Duration
}

// Scrapers returns who scrapes, in no order.
func (o *Observer) Scrapers() []Scraper {
	o.history.mu.Lock()
	defer o.history.mu.Unlock()
	return slices.Clone(o.history.scrapers)
}

// addScraper counts s for its scraper. h.mu is held.
func (h *history) addScraper(s *Scrape) {
	c := h.scraper(s)
	if c.Scrapes > 0 {
		c.gaps[(c.Scrapes-1)%keptGaps] = max(0, s.At.Sub(c.Latest.At))
		sorted, n := c.gaps, min(c.Scrapes, keptGaps)
		slices.Sort(sorted[:n])
		c.Interval = sorted[(n-1)/2]
	}
	c.Scrapes++
	if s.Good() {
		c.LastSuccess = s.At
	} else {
		c.Failed++
	}
	c.Latest = *s
}

// scraper returns the entry of the scraper that sent s. h.mu is held.
func (h *history) scraper(s *Scrape) *Scraper {
	address := s.Remote
	if i := strings.LastIndexByte(address, ':'); i >= 0 {
		address = address[:i]
	}
	quietest := 0
	for i := range h.scrapers {
		c := &h.scrapers[i]
		if c.Address == address && c.Latest.Identity == s.Identity {
			return c
		}
		if c.Latest.At.Before(h.scrapers[quietest].Latest.At) {
			quietest = i
		}
	}
	if len(h.scrapers) < maxScrapers {
		h.scrapers = append(h.scrapers, Scraper{Address: address})
		return &h.scrapers[len(h.scrapers)-1]
	}
	h.scrapers[quietest] = Scraper{Address: address}
	return &h.scrapers[quietest]
}
