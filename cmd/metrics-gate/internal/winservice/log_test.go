package winservice

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// events is an event log that keeps what is reported, with the name of the method.
type events struct{ list []string }

func (e *events) add(kind string, id uint32, message string) error {
	e.list = append(e.list, fmt.Sprintf("%s %d %s", kind, id, message))
	return nil
}

func (e *events) Info(id uint32, message string) error    { return e.add("info", id, message) }
func (e *events) Warning(id uint32, message string) error { return e.add("warning", id, message) }
func (e *events) Error(id uint32, message string) error   { return e.add("error", id, message) }

func TestEachRecordIsAnEventOfItsLevel(t *testing.T) {
	var got events
	log := newLogger(&got, config.Process{LogLevel: "info", LogFormat: "text"}).With("a", 1).WithGroup("g")
	log.Debug("hidden")
	log.Info("one", "b", 2)
	log.Warn("two\nlines\x00")
	log.Error("three")
	for i, line := range got.list { // the time differs
		kind, rest, _ := strings.Cut(line, "time=")
		_, rest, _ = strings.Cut(rest, " ")
		got.list[i] = kind + rest
	}
	want := []string{
		"info 1 level=INFO msg=one a=1 g.b=2",
		`warning 2 level=WARN msg="two\nlines\x00" a=1`,
		"error 3 level=ERROR msg=three a=1",
	}
	if !slices.Equal(got.list, want) {
		t.Errorf("got  %q\nwant %q", got.list, want)
	}
	if newLogger(&got, config.Process{LogLevel: "error"}).Enabled(t.Context(), slog.LevelWarn) {
		t.Error("the level of the configuration does not hold")
	}
}

func TestEventsHoldNoNUL(t *testing.T) {
	var got events
	if n, err := (eventWriter{got.Error, errorEvent}).Write([]byte("a\x00b\n")); n != 4 || err != nil {
		t.Error(n, err)
	}
	if want := []string{"error 3 a b"}; !slices.Equal(got.list, want) {
		t.Errorf("%q, want %q", got.list, want)
	}
}
