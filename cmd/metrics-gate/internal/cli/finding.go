package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
)

// Levels of a finding, as they are printed.
const (
	LevelOK   = "ok"
	LevelWarn = "warn"
	LevelFail = "fail"
)

// Finding is one thing that was looked at.
type Finding struct {
	Level string   `json:"level"`
	What  string   `json:"what"`             // the fact
	Do    string   `json:"advice,omitempty"` // what to do about it; empty when it is ok
	List  []string `json:"list,omitempty"`   // what the fact speaks of
}

func OK(format string, args ...any) Finding {
	return Finding{Level: LevelOK, What: fmt.Sprintf(format, args...)}
}

func Warn(do, format string, args ...any) Finding {
	return Finding{Level: LevelWarn, What: fmt.Sprintf(format, args...), Do: do}
}

func Fail(do, format string, args ...any) Finding {
	return Finding{Level: LevelFail, What: fmt.Sprintf(format, args...), Do: do}
}

// Print writes f on one line. What came from outside may hold anything, but not a
// line or a terminal's control sequence.
func (f Finding) Print(w io.Writer) error {
	line := fmt.Sprintf("%-4s  %s", f.Level, f.What)
	if f.Do != "" {
		line += ": " + f.Do
	}
	_, err := fmt.Fprintln(w, Printable(line))
	return err
}

// Worst is the gravest level of list.
func Worst(list []Finding) string {
	level := LevelOK
	for _, f := range list {
		switch {
		case f.Level == LevelFail:
			return LevelFail
		case f.Level == LevelWarn:
			level = LevelWarn
		}
	}
	return level
}

// Warnings is a slog.Handler that keeps the warnings and errors of building a gate, but those with
// the attribute expired: package expiry has findings of the same things.
type Warnings struct{ List []Finding }

// Enabled implements slog.Handler.
func (w *Warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle implements slog.Handler.
func (w *Warnings) Handle(_ context.Context, r slog.Record) error {
	f, expired := Finding{Level: LevelWarn, What: r.Message}, false
	r.Attrs(func(a slog.Attr) bool {
		switch value := a.Value.String(); {
		case a.Key == "advice":
			f.Do = value
		case a.Key == "expired":
			expired = value == "true"
		case value != "":
			f.What += ": " + value
		}
		return true
	})
	if !expired {
		w.List = append(w.List, f)
	}
	return nil
}

// WithAttrs implements slog.Handler; what the parts add of themselves is not needed here.
func (w *Warnings) WithAttrs([]slog.Attr) slog.Handler { return w }

// WithGroup implements slog.Handler.
func (w *Warnings) WithGroup(string) slog.Handler { return w }
