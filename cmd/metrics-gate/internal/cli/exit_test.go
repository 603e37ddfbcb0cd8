package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestProcessReports(t *testing.T) {
	config := &ConfigError{Thing: "VARIABLE", Value: "v", Wrong: "is bad", Advice: "write w"}
	failed := errors.New("first line\nsecond line")
	for _, test := range []struct {
		name string
		err  error
		code int
		text string
		json []map[string]string // without time and level
	}{
		{"nothing", nil, 0, "", nil},
		{"configuration", config, 2, "metrics-gate: VARIABLE \"v\": is bad\n  write w\n", []map[string]string{
			{"msg": "configuration error", "thing": "VARIABLE", "value": "v", "wrong": "is bad",
				"advice": "write w"}}},
		{"without value and advice", &ConfigError{Thing: "VARIABLE", Wrong: "not set"}, 2,
			"metrics-gate: VARIABLE: not set\n",
			[]map[string]string{{"msg": "configuration error", "thing": "VARIABLE", "wrong": "not set"}}},
		{"failed", failed, 1, "metrics-gate: first line; second line\n",
			[]map[string]string{{"msg": "command failed", "wrong": "first line; second line"}}},
		{"failed, with advice", &Failure{errors.New("refused"), "try again"}, 1, "metrics-gate: refused\n  try again\n",
			[]map[string]string{{"msg": "command failed", "wrong": "refused", "advice": "try again"}}},
		{"exit code alone", ExitCode(1), 1, "", nil},
		{"several", errors.Join(failed, errors.Join(config, ExitCode(1))), 2,
			"metrics-gate: first line; second line\nmetrics-gate: VARIABLE \"v\": is bad\n  write w\n",
			[]map[string]string{{"msg": "command failed", "wrong": "first line; second line"},
				{"msg": "configuration error", "thing": "VARIABLE", "value": "v", "wrong": "is bad",
					"advice": "write w"}}},
		{"wrapped", fmt.Errorf("pprof: %w", config), 2, "metrics-gate: pprof: VARIABLE \"v\": is bad\n  write w\n",
			[]map[string]string{{"msg": "configuration error", "thing": "VARIABLE", "value": "v", "wrong": "is bad",
				"advice": "write w"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var text, lines bytes.Buffer
			if code := (&Process{Stderr: &text}).Report(test.err); code != test.code || text.String() != test.text {
				t.Errorf("%d, want %d\n%q\n%q", code, test.code, text.String(), test.text)
			}
			if code := (&Process{Stderr: &lines, JSONErrors: true}).Report(test.err); code != test.code {
				t.Errorf("JSON: %d, want %d", code, test.code)
			}
			records := decode(t, lines.String())
			if !slices.EqualFunc(records, test.json, func(a, b map[string]string) bool {
				return fmt.Sprint(a) == fmt.Sprint(b) // fmt sorts the keys
			}) {
				t.Errorf("%v, want %v", records, test.json)
			}
		})
	}
}

// decode reads JSON lines and checks that each is an error.
func decode(t *testing.T, lines string) []map[string]string {
	t.Helper()
	var records []map[string]string
	for line := range strings.Lines(lines) {
		var record map[string]string
		if err := json.Unmarshal([]byte(line), &record); err != nil || record["level"] != "ERROR" ||
			record["time"] == "" {
			t.Fatalf("%v: %s", err, line)
		}
		delete(record, "level")
		delete(record, "time")
		records = append(records, record)
	}
	return records
}
