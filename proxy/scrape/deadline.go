package scrape

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// Bounds of what is left of a scraper's time for the way back.
const (
	leastMargin = 50 * time.Millisecond
	mostMargin  = 500 * time.Millisecond
)

// timeLeft is how long a scrape may take: most, or less when the scraper says in
// the values of X-Prometheus-Scrape-Timeout-Seconds that it waits less. A tenth of that
// time, within bounds, is kept for the way back, so that it sees an answer and not
// silence. A value that is no positive number counts as none.
func timeLeft(values []string, most time.Duration) time.Duration {
	if len(values) != 1 {
		return most
	}
	seconds, err := strconv.ParseFloat(values[0], 64)
	if err != nil || !(seconds > 0) || seconds > math.MaxInt64/float64(2*time.Second) {
		return most
	}
	whole := time.Duration(seconds * float64(time.Second))
	margin := min(max(whole/10, leastMargin), mostMargin)
	return min(max(whole-margin, whole/2), most)
}

// writeLimit is the end of the server's WriteTimeout, which the deadlines of
// single writes must not outlive; zero when there is none.
func writeLimit(r *http.Request, begin time.Time) time.Time {
	if s, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && s.WriteTimeout > 0 {
		return begin.Add(s.WriteTimeout)
	}
	return time.Time{}
}

// leaveCause is why an exchange ends whose last member got err.
func leaveCause(err error) error {
	if err == errLate {
		return errLate
	}
	return upstream.ErrCanceled
}
