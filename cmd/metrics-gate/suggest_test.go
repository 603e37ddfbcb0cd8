package main

import (
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"kitten", "sitting", 3}, {"same", "same", 0}} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("distance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

func TestUnknownSuggestsTheNearest(t *testing.T) {
	known := map[string]bool{"METRICS_GATE_TLS_CERT_FILE": true, "METRICS_GATE_TLS_KEY_FILE": true}
	if got := unknown("METRICS_GATE_TLS_KEYFILE", known).Advice; got != "did you mean METRICS_GATE_TLS_KEY_FILE?" {
		t.Errorf("%q", got)
	}
}

func TestMeant(t *testing.T) {
	for name, want := range map[string]string{
		"chekc": "did you mean check?", "docter": "did you mean doctor?", "frobnicate": "metrics-gate help lists the commands", "Serve": "did you mean serve?",
	} {
		if got := suggestion(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
