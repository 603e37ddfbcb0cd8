package winservice

import (
	"context"
	"log/slog"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/server"
)

// Event identifiers. The system's EventCreate.exe, which has the message text of the
// events, knows 1 to 1000.
const (
	infoEvent    = 1
	warningEvent = 2
	errorEvent   = 3
)

// eventLog is the part of *eventlog.Log that the log needs.
type eventLog interface {
	Info(id uint32, message string) error
	Warning(id uint32, message string) error
	Error(id uint32, message string) error
}

// newLogger writes each record as one event of its level to events; the event's message is
// the line that the gate logs elsewhere.
func newLogger(events eventLog, c config.Process) *slog.Logger {
	return slog.New(byLevel{
		info:    server.NewLogger(eventWriter{events.Info, infoEvent}, c).Handler(),
		warning: server.NewLogger(eventWriter{events.Warning, warningEvent}, c).Handler(),
		failure: server.NewLogger(eventWriter{events.Error, errorEvent}, c).Handler(),
	})
}

// eventWriter reports each Write as one event.
type eventWriter struct {
	report func(id uint32, message string) error
	id     uint32
}

// Write implements io.Writer. The event log takes no NUL.
func (w eventWriter) Write(p []byte) (int, error) {
	message := strings.ReplaceAll(strings.TrimSuffix(string(p), "\n"), "\x00", " ")
	if err := w.report(w.id, message); err != nil {
		return 0, err
	}
	return len(p), nil
}

// byLevel is a slog.Handler that passes a record to the handler of its level.
type byLevel struct{ info, warning, failure slog.Handler }

func (h byLevel) at(level slog.Level) slog.Handler {
	switch {
	case level >= slog.LevelError:
		return h.failure
	case level >= slog.LevelWarn:
		return h.warning
	}
	return h.info
}

// Enabled implements slog.Handler.
func (h byLevel) Enabled(ctx context.Context, level slog.Level) bool {
	return h.at(level).Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h byLevel) Handle(ctx context.Context, r slog.Record) error {
	return h.at(r.Level).Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h byLevel) WithAttrs(attrs []slog.Attr) slog.Handler {
	return byLevel{h.info.WithAttrs(attrs), h.warning.WithAttrs(attrs), h.failure.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h byLevel) WithGroup(name string) slog.Handler {
	return byLevel{h.info.WithGroup(name), h.warning.WithGroup(name), h.failure.WithGroup(name)}
}
