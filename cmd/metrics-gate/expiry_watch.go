package main

import (
	"context"
	"log/slog"
	"time"
)

const (
	expiryInterval = time.Hour      // between two looks
	expiryRepeat   = 24 * time.Hour // between two lines about the same thing
)

// expiryWatch logs what ends soon (a warning) or has ended (an error), once a day each.
type expiryWatch struct {
	log    *slog.Logger
	expiry func(time.Time) []expiryReport
	said   map[string]time.Time // what was logged when
}

func newExpiryWatch(log *slog.Logger, expiry func(time.Time) []expiryReport) *expiryWatch {
	return &expiryWatch{log: log, expiry: expiry, said: map[string]time.Time{}}
}

// run looks until ctx ends, at once for the first time.
func (w *expiryWatch) run(ctx context.Context) {
	tick := time.NewTicker(expiryInterval)
	defer tick.Stop()
	for {
		w.look(time.Now())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (w *expiryWatch) look(now time.Time) {
	for _, e := range w.expiry(now) {
		over := e.Days < 0
		key := e.String()
		if over {
			key += " over"
		}
		last, before := w.said[key]
		if (!over && !e.Soon()) || (before && now.Sub(last) < expiryRepeat) {
			continue
		}
		w.said[key] = now
		if over {
			w.log.Error("certificate or revocation list has ended: renew it", "role", e.Role, "subject", e.Subject, "not_after", e.NotAfter)
			continue
		}
		w.log.Warn("certificate or revocation list ends soon: renew it", "role", e.Role, "subject", e.Subject, "not_after", e.NotAfter, "left", e.Left())
	}
}
