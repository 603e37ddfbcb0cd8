package config

import (
	"slices"
	"strings"
	"testing"
)

// A variable whose prefix is misspelled is named with the one that was meant; what programs and
// Kubernetes set under names of their own is not.
func TestMisspelledPrefix(t *testing.T) {
	for entry, want := range map[string]string{
		"METRIC_GATE_LISTEN_ADDRESS=:9": "METRICS_GATE_LISTEN_ADDRESS",
		"METRICSGATE_METRICS_ALLOW=*":   "METRICS_GATE_METRICS_ALLOW",
		"METRICS_GATES_TOKENS_FILE=/x":  "METRICS_GATE_TOKENS_FILE",
		"METRICS-GATE_TOKENS_FILE=/x":   "METRICS_GATE_TOKENS_FILE",
		"metrics_gate_log_level=debug":  "METRICS_GATE_LOG_LEVEL",
		"MERTICS_GATE_RUNNER_NAMES=a":   "METRICS_GATE_RUNNER_NAME",
		"METRICS_GATELOG_LEVEL=debug":   "METRICS_GATE_LOG_LEVEL",

		"METRICS_GATE_LOG_LEVEL=debug":           "",
		"METRICS_GATE_LOG_LEVELS=debug":          "", // an error of Load
		"METRIC_GATE_SERVICE_HOST=10.0.0.1":      "", // of a Service
		"METRIC_GATE_PORT=tcp://10.0.0.1:9253":   "",
		"METRIC_GATE_COLOUR_OF_THE_BIKE_SHED=no": "",
		"METRICS_PORT=1":                         "",
		"METRICS_LOG_LEVEL=debug":                "",
		"METRICS_GATE=1":                         "",
		"PATH=/bin":                              "",
		"":                                       "",
	} {
		found := Misspelled([]string{entry, entry})
		name, _, _ := strings.Cut(entry, "=")
		switch {
		case want == "" && len(found) > 0:
			t.Errorf("%s: %+v", entry, found)
		case want != "" && (len(found) != 1 || found[0].Do != "did you mean "+want+"?" ||
			!strings.HasPrefix(found[0].What, name+": not read")):
			t.Errorf("%s: %+v, want %s", entry, found, want)
		}
	}
}

// Where settings are missing, the misspelled names stand among the mistakes; otherwise they are no
// mistake of the gate's.
func TestMisspelledPrefixAmongMistakes(t *testing.T) {
	const typo = "METRIC_GATE_METRICS_ALLOW"
	_, err := Load(append(good("METRICS_GATE_METRICS_ALLOW="), typo+"=*"))
	if got := blamed(t, err); !slices.Contains(got, typo) {
		t.Errorf("blamed %q", got)
	}
	if _, err := Load(append(good(), typo+"=*")); err != nil {
		t.Error(err)
	}
}
