package config

import (
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

func TestUnknownSuggestsTheNearest(t *testing.T) {
	known := map[string]bool{"METRICS_GATE_TLS_CERT_FILE": true, "METRICS_GATE_TLS_KEY_FILE": true}
	if got := nearestName("METRICS_GATE_TLS_KEYFILE", known); got != "METRICS_GATE_TLS_KEY_FILE" {
		t.Errorf("%q", got)
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
