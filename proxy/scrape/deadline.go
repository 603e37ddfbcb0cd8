package scrape

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// Bounds of the part of a scraper's time that is kept for the way back.
const (
	minMargin = 50 * time.Millisecond
	maxMargin = 500 * time.Millisecond
)

// timeout is how long a scrape may take: most, or less if the scraper waits less according
// to the values of X-Prometheus-Scrape-Timeout-Seconds. A tenth of the scraper's time,
// within bounds, is kept for the way back, so that the scraper gets an answer. A value that
// is not a positive number is ignored.
func timeout(values []string, most time.Duration) time.Duration {
	if len(values) != 1 {
		return most
	}
	seconds, err := strconv.ParseFloat(values[0], 64)
	if err != nil || !(seconds > 0) || seconds > math.MaxInt64/float64(2*time.Second) {
		return most
	}
	whole := time.Duration(seconds * float64(time.Second))
	margin := min(max(whole/10, minMargin), maxMargin)
	return min(max(whole-margin, whole/2), most)
}

// writeDeadline is the end of the server's WriteTimeout for a request that began at begin.
// Zero means none. No deadline of a single write may be later.
func writeDeadline(r *http.Request, begin time.Time) time.Time {
	if s, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && s.WriteTimeout > 0 {
		return begin.Add(s.WriteTimeout)
	}
	return time.Time{}
}

// cancelCause is why an exchange ends whose last waiter got err.
func cancelCause(err error) error {
	if err == errTimedOut {
		return errTimedOut
	}
	return upstream.ErrCanceled
}
