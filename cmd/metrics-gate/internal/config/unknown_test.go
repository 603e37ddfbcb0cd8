package config

import (
	"slices"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

func TestUnknownSuggestsTheNearest(t *testing.T) {
	known := map[string]bool{"METRICS_GATE_TLS_CERT_FILE": true, "METRICS_GATE_TLS_KEY_FILE": true}
	if got := nearestName("METRICS_GATE_TLS_KEYFILE", known); got != "METRICS_GATE_TLS_KEY_FILE" {
		t.Errorf("%q", got)
	}
}

// A variable with nearly the gate's prefix is a warning, and an error among errors.
func TestMisspelledPrefix(t *testing.T) {
	for name, meant := range map[string]string{
		"METRIC_GATE_LISTEN_ADDRESS": "METRICS_GATE_LISTEN_ADDRESS", "METRICSGATE_TOKENS_FILE": "METRICS_GATE_TOKENS_FILE",
		"METRICS-GATE_LOG_LEVEL": "METRICS_GATE_LOG_LEVEL", "metrics_gate_log_level": "METRICS_GATE_LOG_LEVEL",
		"METRICS_PORT": "", "GATE_LISTEN_ADDRESS": "", "PATH": "", "METRICS_STATE_DIRECTORY": "",
	} {
		environ := []string{name + "=x"}
		c, err := Load(environ)
		found := c.Misspelled(environ)
		advice := "did you mean " + meant + "?"
		if (meant == "") != (len(found) == 0) || (meant != "" && found[0].Do != advice) {
			t.Errorf("%s: %+v, want %s", name, found, meant)
		}
		listed := slices.ContainsFunc(cli.ErrorReports(err), func(e cli.ErrorReport) bool { return e.Thing == name })
		if listed != (meant != "") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWordsThatAreNearlyRight(t *testing.T) {
	for entry, want := range map[string]string{
		"LOG_LEVEL=warning": "warn", "LOG_LEVEL=INFO": "info", "LOG_LEVEL=err": "error", "LOG_LEVEL=loud": "",
		"ACCESS_LOG=true": "on", "ACCESS_LOG=0": "off", "COMPRESSION=gzip": "", "LOG_FORMAT=JSON": "json",
		"KUBERNETES_AUTH=TokenReview": "tokenreview", "LABEL_CONFLICT=export": "exported",
	} {
		_, err := Load([]string{Prefix + entry})
		advice := ""
		for _, e := range cli.ErrorReports(err) {
			if e.Thing+"="+e.Value == Prefix+entry {
				advice = e.Advice
			}
		}
		if want != "" {
			want = "did you mean " + want + "?"
		}
		if advice != want {
			t.Errorf("%s: %q, want %q", entry, advice, want)
		}
	}
}
