package proxy

import (
	"slices"
	"sync"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// remembered is how many scrapes an Observer keeps.
const remembered = 32

// Scrape is one answered request for the runner's metrics.
type Scrape struct {
	Who      string        // who asked
	At       time.Time     // when the request came
	Duration time.Duration // until the last byte was handed to the connection
	Samples  int64         // labelled samples in the answer
	Code     int           // HTTP status; 0: cut short
	Shared   bool          // answered by an exchange that another request began
}

// history is the latest scrapes and the state of the upstream.
type history struct {
	mu      sync.Mutex
	scrapes [remembered]Scrape
	total   int
	up      bool
	since   time.Time // when up became what it is; zero: no exchange yet
}

// Recent returns the latest scrapes, newest first.
func (o *Observer) Recent() []Scrape {
	o.history.mu.Lock()
	defer o.history.mu.Unlock()
	n := min(o.history.total, remembered)
	list := make([]Scrape, 0, n)
	for i := range n {
		list = append(list, o.history.scrapes[(o.history.total-n+i)%remembered])
	}
	slices.Reverse(list)
	return list
}

// Upstream tells whether the last exchange gave a valid exposition, and since
// when that is so. The time is zero when there was none yet.
func (o *Observer) Upstream() (up bool, since time.Time) {
	o.history.mu.Lock()
	defer o.history.mu.Unlock()
	return o.history.up, o.history.since
}

// scrape remembers s.
func (o *Observer) AddScrape(s Scrape) {
	if o == nil {
		return
	}
	o.history.mu.Lock()
	defer o.history.mu.Unlock()
	o.history.scrapes[o.history.total%remembered] = s
	o.history.total++
}

// exchange notes the end of an exchange for metrics that took d. One that was
// canceled tells nothing about the upstream.
func (o *Observer) AddExchange(d time.Duration, samples, conflicts int64, err error) {
	if o == nil {
		return
	}
	o.exchanges.Observe(d.Seconds())
	o.samples.Add(float64(samples))
	o.conflicts.Add(float64(conflicts))
	if err != nil {
		o.AddError(upstream.ReasonOf(err))
		if upstream.ReasonOf(err) == upstream.ReasonCanceled {
			return
		}
	}
	o.turn(err == nil)
}

// turn notes whether the upstream is up.
func (o *Observer) turn(up bool) {
	o.history.mu.Lock()
	defer o.history.mu.Unlock()
	if up != o.history.up || o.history.since.IsZero() {
		o.history.up, o.history.since = up, time.Now()
	}
	value := 0.0
	if up {
		value = 1
	}
	o.up.Set(value)
}
