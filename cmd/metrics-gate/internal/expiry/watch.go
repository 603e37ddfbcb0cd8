package expiry

import (
	"log/slog"
	"time"
)

// expiryRepeat is the time between two lines about the same thing.
const expiryRepeat = 24 * time.Hour

// Watch logs what ends soon (a warning) or has ended (an error), once a day each.
type Watch struct {
	log    *slog.Logger
	expiry func(time.Time) []Entry
	said   map[string]time.Time // what was logged when
}

func NewWatch(log *slog.Logger, expiry func(time.Time) []Entry) *Watch {
	return &Watch{log: log, expiry: expiry, said: map[string]time.Time{}}
}

// Look logs what is to be said at now. Call it often: after each reload, and at least every five minutes.
func (w *Watch) Look(now time.Time) {
	for _, e := range w.expiry(now) {
		over := e.Days < 0
		key := e.String() + " " + e.NotAfter.String() // what is loaded in its place is another thing
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
