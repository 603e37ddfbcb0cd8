package expiry

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// Warnings begin exactly at their bounds: two weeks for certificates, a day for lists; what
// ends this very moment has not ended.
func TestExpiryBounds(t *testing.T) {
	const day = 24 * time.Hour
	for _, test := range []struct {
		role          string
		left          time.Duration
		soon, expired bool
		text          string
	}{
		{"server", 14 * day, false, false, "14 days"},
		{"server", 14*day - time.Second, true, false, "13 days"},
		{"client_ca", 2 * day, true, false, "2 days"},
		{"server", day, true, false, "1 day"},
		{"server", day - time.Second, true, false, "0 days"},
		{"server", 0, true, false, "0 days"},
		{"server", -time.Nanosecond, true, true, "expired"},
		{"crl", day, false, false, "1 day"},
		{"crl", day - time.Second, true, false, "0 days"},
		{"crl", -time.Second, true, true, "expired"},
	} {
		e := Entry{Role: test.role, Subject: "CN=x", Days: wholeDays(test.left)}
		if e.Soon() != test.soon || e.Expired() != test.expired || e.Left() != test.text {
			t.Errorf("%s %s: soon %v, expired %v, %s", test.role, test.left, e.Soon(), e.Expired(), e.Left())
		}
		found := Findings([]Entry{e})
		if (len(found) == 1) != test.soon || (test.soon && (found[0].Level != cli.LevelWarn || found[0].Do == "")) {
			t.Errorf("%s %s: %+v", test.role, test.left, found)
		}
	}
}

// Plain HTTP has no certificate, and no series.
func TestCollectorOfPlainHTTP(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(Collector{}); err != nil {
		t.Fatal(err)
	}
	if err := testutil.GatherAndCompare(registry, strings.NewReader("")); err != nil {
		t.Error(err)
	}
}

// A role is left out of the name when there is none.
func TestEntryNames(t *testing.T) {
	for want, e := range map[string]Entry{"server CN=a": {Role: "server", Subject: "CN=a"}, "crl": {Role: "crl"},
		"CN=b": {Subject: "CN=b"}} {
		if e.String() != want {
			t.Errorf("%q, want %q", e.String(), want)
		}
	}
}
