package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestScrapers(t *testing.T) {
	o := NewObserver(prometheus.NewRegistry())
	start := time.Unix(1_800_000_000, 0)
	add := func(seconds int, identity, remote string, code int) {
		o.AddScrape(Scrape{Identity: identity, Remote: remote, At: start.Add(time.Duration(seconds) * time.Second),
			Code: code})
	}
	add(0, "prometheus", "10.0.0.1:4000", 200)
	add(15, "prometheus", "10.0.0.1:4001", 200) // the same, over a new connection
	add(30, "prometheus", "10.0.0.1:4001", 502)
	add(31, "prometheus", "[fd00::1]:4000", 0) // its twin
	add(32, "alice", "10.0.0.1:4000", 200)
	add(32, "alice", "", 200) // no address
	type row struct {
		identity, address string
		interval, success int // seconds, from start
		scrapes, failed   int64
	}
	var got []row
	for _, s := range o.Scrapers() {
		success := -1
		if !s.LastSuccess.IsZero() {
			success = int(s.LastSuccess.Sub(start) / time.Second)
		}
		got = append(got, row{s.Latest.Identity, s.Address, int(s.Interval / time.Second), success, s.Scrapes,
			s.Failed})
	}
	want := []row{
		{"prometheus", "10.0.0.1", 15, 15, 3, 1}, {"prometheus", "[fd00::1]", 0, -1, 1, 1},
		{"alice", "10.0.0.1", 0, 32, 1, 0}, {"alice", "", 0, 32, 1, 0},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v\nwant %v", got, want)
	}
}

// One visit by hand with the scraper's credentials does not change its interval, and one by doctor
// is no scrape of it at all.
func TestIntervalIsTheMedian(t *testing.T) {
	o := NewObserver(prometheus.NewRegistry())
	start := time.Unix(1_800_000_000, 0)
	add := func(seconds int, doctor bool) {
		o.AddScrape(Scrape{At: start.Add(time.Duration(seconds) * time.Second), Code: 200, Doctor: doctor})
	}
	for i := range 5 {
		add(15*i, false)
	}
	add(61, false)  // by hand
	add(600, false) // late
	add(900, true)
	add(1800, true)
	if s := o.Scrapers()[0]; s.Interval != 15*time.Second || s.Scrapes != 7 || len(o.Recent()) != 9 {
		t.Errorf("interval %s of %d scrapes, %d recent", s.Interval, s.Scrapes, len(o.Recent()))
	}
}

// More scrapers than there is room for replace those that are quiet.
func TestScrapersAreBounded(t *testing.T) {
	o := NewObserver(prometheus.NewRegistry())
	start := time.Unix(1_800_000_000, 0)
	for i := range 3 * maxScrapers {
		at := start.Add(time.Duration(i) * time.Second)
		o.AddScrape(Scrape{Identity: "prometheus", At: at, Code: 200})
		o.AddScrape(Scrape{Identity: fmt.Sprint("job ", i), At: at, Code: 200})
	}
	list := o.Scrapers()
	if len(list) != maxScrapers || list[0].Latest.Identity != "prometheus" || list[0].Scrapes != 3*maxScrapers {
		t.Errorf("%d, first %+v", len(list), list[0])
	}
}

// The history keeps the beginning of a long name or error, cut at a letter.
func TestLongTextsAreClipped(t *testing.T) {
	long := strings.Repeat("x", maxText-1) + "ü" + strings.Repeat("y", 1<<20)
	o := NewObserver(prometheus.NewRegistry())
	o.AddScrape(Scrape{Who: long, Err: long})
	o.AddScrape(Scrape{Who: long[:maxText-1], Err: "short"})
	want := long[:maxText-1] + "…"
	list := append(o.Recent(), o.Scrapers()[0].Latest)
	for i, s := range list {
		if i == 1 && (s.Who != want || s.Err != want) {
			t.Errorf("%d and %d bytes", len(s.Who), len(s.Err))
		}
		if i != 1 && (s.Who != long[:maxText-1] || s.Err != "short") {
			t.Errorf("%s %s", s.Who, s.Err)
		}
	}
}
