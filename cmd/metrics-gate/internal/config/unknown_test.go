package config

import (
	"testing"
)

func TestUnknownSuggestsTheNearest(t *testing.T) {
	known := map[string]bool{"METRICS_GATE_TLS_CERT_FILE": true, "METRICS_GATE_TLS_KEY_FILE": true}
	if got := nearestName("METRICS_GATE_TLS_KEYFILE", known); got != "METRICS_GATE_TLS_KEY_FILE" {
		t.Errorf("%q", got)
	}
}
