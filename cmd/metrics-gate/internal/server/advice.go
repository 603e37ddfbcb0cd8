package server

import (
	"context"
	"log/slog"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/proxy"
)

// advised adds to a warning that gives a reason what to do about it: the packages that log it do
// not know the environment. A warning that has advice keeps its own.
type advised struct {
	slog.Handler
	runner string // host:port, as configured
}

// Handle implements slog.Handler.
func (h advised) Handle(ctx context.Context, r slog.Record) error {
	if r.Level == slog.LevelWarn {
		if advice := adviceAbout(reasonOf(r), h.runner); advice != "" {
			r = r.Clone()
			r.AddAttrs(slog.String("advice", advice))
		}
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h advised) WithAttrs(attrs []slog.Attr) slog.Handler {
	return advised{h.Handler.WithAttrs(attrs), h.runner}
}

// WithGroup implements slog.Handler.
func (h advised) WithGroup(name string) slog.Handler {
	return advised{h.Handler.WithGroup(name), h.runner}
}

// reasonOf returns the reason that r gives; empty if it gives none, or has advice.
func reasonOf(r slog.Record) (reason string) {
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "advice":
			reason = ""
			return false
		case "reason":
			reason = a.Value.String()
		}
		return true
	})
	return reason
}

// adviceAbout is the advice about one reason. runner is where the runner is configured, host:port.
func adviceAbout(reason, runner string) string {
	if reason == auth.ReasonThrottled {
		return "fix the credential that this address keeps sending; the limits are " + config.Prefix +
			"FAILURE_RATE_LIMIT and " + config.Prefix + "FAILURE_BURST"
	}
	return proxy.AdviceFor(reason, runner)
}
