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

// runner is where the runner of a test is configured.
const runner = "127.0.0.1:19252"

// warned logs a warning with these attributes and returns its record.
func warned(t *testing.T, log func(*slog.Logger)) map[string]any {
	t.Helper()
	var out bytes.Buffer
	log(slog.New(advised{slog.NewJSONHandler(&out, nil), runner}))
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
		reasons[r.String()] = r.Advice(runner)
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

// What is wrong is named by its variable and by the runner's address as it is configured, whoever
// logs it. A warning that has advice keeps it.
func TestLogNamesWhatToChange(t *testing.T) {
	for reason, want := range map[string]string{
		"too many requests": "METRICS_GATE_RATE_LIMIT", "throttled": "METRICS_GATE_FAILURE_RATE_LIMIT",
		"busy":      "METRICS_GATE_MAX_IN_FLIGHT",
		"too_large": "METRICS_GATE_UPSTREAM_MAX_BYTES", "too_long": "METRICS_GATE_UPSTREAM_MAX_LINE_BYTES",
		"another profile runs": "one CPU profile", "slow": "takes nothing",
		"refused": `listen_address = "127.0.0.1:19252"`, "status": "see what listens at 127.0.0.1:19252",
	} {
		record := warned(t, func(log *slog.Logger) { log.Warn("request refused", "reason", reason) })
		if got, _ := record["advice"].(string); !strings.Contains(got, want) || strings.Contains(got, "ADDRESS ") {
			t.Errorf("%s: %q, want %q", reason, got, want)
		}
	}
	record := warned(t, func(log *slog.Logger) { log.Warn("request refused", "reason", "denied") })
	if _, given := record["advice"]; given {
		t.Errorf("advice about nothing: %v", record)
	}
	record = warned(t, func(log *slog.Logger) { log.Warn("request refused", "reason", "busy", "advice", "its own") })
	if record["advice"] != "its own" {
		t.Errorf("advice given twice: %v", record)
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
		for _, word := range strings.FieldsFunc(adviceAbout(reason, runner), func(r rune) bool {
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
