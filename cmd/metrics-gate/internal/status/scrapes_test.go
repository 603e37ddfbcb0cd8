package status

import (
	"testing"
	"time"
)

func TestFormatName(t *testing.T) {
	for contentType, want := range map[string]string{
		"text/plain; version=0.0.4; charset=utf-8":                                        "text 0.0.4",
		"text/plain; version=1.0.0; escaping=allow-utf-8":                                 "text 1.0.0",
		"application/openmetrics-text; version=1.0.0; charset=utf-8":                      "OpenMetrics 1.0.0",
		"application/vnd.google.protobuf; proto=io.prometheus.client; encoding=delimited": "protobuf",
		"application/json": "application/json", "/;": "/;",
	} {
		if got := (Scrape{Format: contentType}).FormatName(); got != want {
			t.Errorf("%q: %q, want %q", contentType, got, want)
		}
	}
}

func TestHumanBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 64 << 10: "64.0 KiB",
		11_000_000: "10.5 MiB"} {
		if got := humanBytes(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// A pause of less than three intervals is none. The interval of who came a few times is not known,
// and it may be a person: such a scraper is late after ten minutes. After a day all are gone.
func TestLate(t *testing.T) {
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		scrapes       int64
		interval, ago int // seconds
		want          bool
	}{{3, 15, 600, false}, {3, 15, 601, true}, {1, 0, 601, true}, {1, 0, 599, false},
		{1, 0, 86399, true}, {1, 0, 86400, false},
		{5, 2, 18, false}, {5, 2, 86400, false},
		{6, 15, 46, true}, {6, 15, 45, false}, {6, 0, 14, false}, {6, 0, 16, true},
		{4000, 60, 100, false}, {4000, 60, 200, true}, {4000, 60, 86399, true}, {4000, 60, 86400, false}} {
		s := Scraper{Scrapes: test.scrapes, Interval: float64(test.interval),
			Latest: Scrape{At: now.Add(-time.Duration(test.ago) * time.Second)}}
		if got := s.Late(now); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}
