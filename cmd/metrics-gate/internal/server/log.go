package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/time/rate"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/proxy"
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
	if omitted > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int64("omitted", omitted))
	}
	return t.Handler.Handle(ctx, r)
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

// logPanics logs a panic of next with the peer, and cuts the answer. http.Server would log it with
// the peer inside of the text.
func logPanics(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch p := recover(); p {
			case nil:
			default:
				log.Error("panic while a request was answered", "remote", r.RemoteAddr, "err", fmt.Sprint(p), "at",
					panicAt())
				fallthrough
			case http.ErrAbortHandler:
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// panicAt names the function and the line of the panic that a deferred function recovers from.
func panicAt() string {
	var callers [16]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(0, callers[:])])
	for panicked := false; ; {
		frame, more := frames.Next()
		if panicked && !strings.HasPrefix(frame.Function, "runtime.") || !more {
			return fmt.Sprintf("%s %s:%d", frame.Function, filepath.Base(frame.File), frame.Line)
		}
		panicked = panicked || frame.Function == "runtime.gopanic"
	}
}
