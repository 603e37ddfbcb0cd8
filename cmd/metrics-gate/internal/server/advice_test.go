package server

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// warned logs a warning with these attributes and returns its record.
func warned(t *testing.T, log func(*slog.Logger)) map[string]any {
	t.Helper()
	var out bytes.Buffer
	log(NewLogger(&out, config.Process{LogLevel: "info", LogFormat: "json"}))
	record := map[string]any{}
	if err := json.Unmarshal(out.Bytes(), &record); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	return record
}

// Every reason of a refusal or a failed exchange is logged with what to do about it, but
// those that nobody can do anything about.
func TestLogAdvisesOnEveryReason(t *testing.T) {
	reasons := map[string]string{auth.ReasonThrottled: "FAILURE_RATE_LIMIT"}
	for r := range upstream.Reasons {
		reasons[r.String()] = r.Advice()
	}
	for r := range proxy.Refusals {
		reasons[r.String()] = r.Advice()
	}
	silent := map[string]bool{
		upstream.ReasonOther.String(): true, upstream.ReasonCanceled.String(): true, proxy.RefusedLeft.String(): true,
	}
	for reason, advice := range reasons {
		record := warned(t, func(log *slog.Logger) { log.Warn("request refused", "reason", reason) })
		got, given := record["advice"].(string)
		if given == silent[reason] || !strings.Contains(got, advice) {
			t.Errorf("%s: advice %q, want %q", reason, got, advice)
		}
	}
}

// Variables that an advice names exist.
func TestAdviceNamesVariablesThatExist(t *testing.T) {
	known := map[string]bool{}
	for _, v := range config.Declared() {
		known[v.Name] = true
	}
	named := 0
	check := func(reason string) {
		for _, word := range strings.FieldsFunc(adviceAbout(reason), func(r rune) bool {
			return r != '_' && (r < 'A' || r > 'Z')
		}) {
			if !strings.HasPrefix(word, config.Prefix) {
				continue
			}
			named++
			if !known[word] {
				t.Errorf("%s: %s is no variable", reason, word)
			}
		}
	}
	check(auth.ReasonThrottled)
	for r := range upstream.Reasons {
		check(r.String())
	}
	for r := range proxy.Refusals {
		check(r.String())
	}
	if named < 5 {
		t.Errorf("only %d variables are named", named)
	}
}

// Advice belongs to warnings; a reason that is no text, or in a record of another level,
// gets none.
func TestLogAdvisesOnWarningsOnly(t *testing.T) {
	busy := proxy.RefusedBusy.String()
	for name, test := range map[string]struct {
		log  func(*slog.Logger)
		want bool
	}{
		"warning": {func(l *slog.Logger) { l.Warn("m", "reason", busy) }, true},
		"info":    {func(l *slog.Logger) { l.Info("m", "reason", busy) }, false},
		"error":   {func(l *slog.Logger) { l.Error("m", "reason", busy) }, false},
		"number":  {func(l *slog.Logger) { l.Warn("m", "reason", 5) }, false},
		"group":   {func(l *slog.Logger) { l.Warn("m", slog.Group("g", "reason", busy)) }, false},
		"derived": {func(l *slog.Logger) { l.With("remote", "192.0.2.1").Warn("m", "reason", busy) }, true},
	} {
		if _, given := warned(t, test.log)["advice"]; given != test.want {
			t.Errorf("%s: advice given: %v", name, given)
		}
	}
}

// The level of the configuration decides what is logged.
func TestLogLevels(t *testing.T) {
	for level, want := range map[string]int{"debug": 4, "info": 3, "warn": 2, "error": 1} {
		for _, format := range []string{"json", "text"} {
			var out bytes.Buffer
			log := NewLogger(&out, config.Process{LogLevel: level, LogFormat: format})
			log.Debug("m")
			log.Info("m")
			log.Warn("m")
			log.Error("m")
			if got := strings.Count(out.String(), "\n"); got != want {
				t.Errorf("%s %s: %d records, want %d", level, format, got, want)
			}
		}
	}
}
