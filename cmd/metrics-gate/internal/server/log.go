package server

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"unicode/utf8"

	"golang.org/x/time/rate"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

const (
	maxLogValue = 512 // bytes of one string in a log line
	warnRate    = 5   // warnings a second, for each message
	warnBurst   = 20
)

// NewLogger writes one record an event to w: escaped, capped, warnings rate-limited.
func NewLogger(w io.Writer, c config.Process) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // one of the declared four
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: capped}
	if c.LogFormat == "text" {
		return slog.New(newThrottled(slog.NewTextHandler(w, options)))
	}
	return slog.New(newThrottled(slog.NewJSONHandler(w, options)))
}

// capped cuts long strings, which a client may have chosen.
func capped(_ []string, a slog.Attr) slog.Attr {
	value := a.Value
	if err, ok := value.Any().(error); ok {
		value = slog.StringValue(err.Error())
	}
	if value.Kind() != slog.KindString || len(value.String()) <= maxLogValue {
		return a
	}
	s := value.String()[:maxLogValue]
	for !utf8.ValidString(s) && len(s) > maxLogValue-utf8.UTFMax {
		s = s[:len(s)-1]
	}
	return slog.String(a.Key, s+"…")
}

// throttled passes warnings at a bounded rate for each message, so that a client
// cannot flood the log, and says with the next one how many it left out. Messages are
// constants, so there are few of them.
type throttled struct {
	slog.Handler
	shared *throttle
}

type throttle struct {
	mu      sync.Mutex
	buckets map[string]*bucket
}

type bucket struct {
	bucket  *rate.Limiter
	omitted int64
}

func newThrottled(h slog.Handler) throttled {
	return throttled{h, &throttle{buckets: map[string]*bucket{}}}
}

// Handle implements slog.Handler.
func (t throttled) Handle(ctx context.Context, r slog.Record) error {
	if r.Level != slog.LevelWarn {
		return t.Handler.Handle(ctx, r)
	}
	omitted, ok := t.shared.pass(r.Message)
	if !ok {
		return nil
	}
	r = r.Clone()
	if advice := adviceFor(r); advice != "" {
		r.AddAttrs(slog.String("advice", advice))
	}
	if omitted > 0 {
		r.AddAttrs(slog.Int64("omitted", omitted))
	}
	return t.Handler.Handle(ctx, r)
}

// adviceFor says which variable to change about a limit that a warning speaks of: the
// packages that log them do not know the environment.
func adviceFor(r slog.Record) (advice string) {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key != "reason" {
			return true
		}
		switch a.Value.String() {
		case "too many requests":
			advice = "scrape less often, or raise " + config.Prefix + "RATE_LIMIT and " + config.Prefix + "RATE_BURST"
		case "throttled":
			advice = "fix the credential that this address keeps sending; the limits are " + config.Prefix +
				"FAILURE_RATE_LIMIT and " + config.Prefix + "FAILURE_BURST"
		case "busy":
			advice = "raise " + config.Prefix + "MAX_IN_FLIGHT, or find out why the runner is slow"
		case "another profile runs":
			advice = "one CPU profile or trace runs at a time: try again when it is done"
		case "slow":
			advice = "the scraper takes nothing: look at its load and at the network between"
		case "too_large":
			advice = "raise " + config.Prefix + "UPSTREAM_MAX_BYTES"
		case "too_long":
			advice = "raise " + config.Prefix + "UPSTREAM_MAX_LINE_BYTES"
		}
		return false
	})
	return advice
}

func (t *throttle) pass(message string) (omitted int64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.buckets[message]
	if l == nil {
		l = &bucket{bucket: rate.NewLimiter(warnRate, warnBurst)}
		t.buckets[message] = l
	}
	if !l.bucket.Allow() {
		l.omitted++
		return 0, false
	}
	omitted, l.omitted = l.omitted, 0
	return omitted, true
}

// WithAttrs implements slog.Handler; the buckets stay shared.
func (t throttled) WithAttrs(attrs []slog.Attr) slog.Handler {
	return throttled{t.Handler.WithAttrs(attrs), t.shared}
}

// WithGroup implements slog.Handler; the buckets stay shared.
func (t throttled) WithGroup(name string) slog.Handler {
	return throttled{t.Handler.WithGroup(name), t.shared}
}
