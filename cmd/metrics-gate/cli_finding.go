package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
)

// Levels of a finding, as they are printed.
const (
	levelOK   = "ok"
	levelWarn = "warn"
	levelFail = "fail"
)

// finding is one thing that was looked at.
type finding struct {
	Level string `json:"level"`
	What  string `json:"what"`         // the fact
	Do    string `json:"do,omitempty"` // what to do about it; empty when it is ok
}

func ok(format string, args ...any) finding {
	return finding{Level: levelOK, What: fmt.Sprintf(format, args...)}
}

func warn(do, format string, args ...any) finding {
	return finding{levelWarn, fmt.Sprintf(format, args...), do}
}

func fail(do, format string, args ...any) finding {
	return finding{levelFail, fmt.Sprintf(format, args...), do}
}

// print writes f on one line. What came from outside may hold anything, but not a
// line or a terminal's control sequence.
func (f finding) print(w io.Writer) error {
	line := fmt.Sprintf("%-4s  %s", f.Level, f.What)
	if f.Do != "" {
		line += ": " + f.Do
	}
	_, err := fmt.Fprintln(w, printable(line))
	return err
}

// worst is the gravest level of list.
func worst(list []finding) string {
	level := levelOK
	for _, f := range list {
		switch {
		case f.Level == levelFail:
			return levelFail
		case f.Level == levelWarn:
			level = levelWarn
		}
	}
	return level
}

// warnings is a slog.Handler that keeps the warnings and errors of building a gate.
type warnings struct{ list []finding }

// Enabled implements slog.Handler.
func (w *warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle implements slog.Handler.
func (w *warnings) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		text += fmt.Sprintf(" %s=%s", a.Key, a.Value)
		return true
	})
	w.list = append(w.list, finding{Level: levelWarn, What: text})
	return nil
}

// WithAttrs implements slog.Handler; what the parts add of themselves is not needed here.
func (w *warnings) WithAttrs([]slog.Attr) slog.Handler { return w }

// WithGroup implements slog.Handler.
func (w *warnings) WithGroup(string) slog.Handler { return w }
