package expiry

import (
	"context"
	"log/slog"
	"time"
)

const (
	expiryInterval = time.Hour      // between two looks
	expiryRepeat   = 24 * time.Hour // between two lines about the same thing
)

// Watch logs what ends soon (a warning) or has ended (an error), once a day each.
type Watch struct {
	log    *slog.Logger
	expiry func(time.Time) []Entry
	said   map[string]time.Time // what was logged when
}

func NewWatch(log *slog.Logger, expiry func(time.Time) []Entry) *Watch {
	return &Watch{log: log, expiry: expiry, said: map[string]time.Time{}}
}

// Run looks until ctx ends, at once for the first time.
func (w *Watch) Run(ctx context.Context) {
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

func (w *Watch) look(now time.Time) {
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
			w.log.Error("certificate or revocation list expired: renew it", "role", e.Role, "subject", e.Subject,
				"not_after", e.NotAfter)
			continue
		}
		w.log.Warn("certificate or revocation list expires soon: renew it", "role", e.Role, "subject", e.Subject,
			"not_after", e.NotAfter, "left", e.Left())
	}
}
