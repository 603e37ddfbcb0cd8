package expiry

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestExpiryWatch(t *testing.T) {
	var log bytes.Buffer
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	end, listEnd := start.Add(15*24*time.Hour), start.Add(16*24*time.Hour)
	w := NewWatch(slog.New(slog.NewTextHandler(&log, nil)), func(now time.Time) []Entry {
		return []Entry{
			{Role: "server", Subject: "CN=gate", NotAfter: end, Days: wholeDays(end.Sub(now))},
			{Role: "crl", Subject: "CN=ca", NotAfter: listEnd, Days: wholeDays(listEnd.Sub(now))},
		}
	})
	said := func(at time.Duration) string {
		log.Reset()
		w.Look(start.Add(at))
		return log.String()
	}
	const day = 24 * time.Hour
	for _, test := range []struct {
		name string
		at   time.Duration
		want string // a part of the only line; empty: silence
	}{
		{"far", 0, ""},
		{"two weeks", day + time.Hour, "level=WARN msg=\"certificate or revocation list expires soon: renew it\" " +
			"role=server subject=\"CN=gate\""},
		{"an hour later", day + 2*time.Hour, ""},
		{"a day later", 2*day + time.Hour, `left="12 days"`},
		{"over", 15*day + time.Second, "level=ERROR msg=\"certificate or revocation list expired: renew it\" " +
			"role=server"},
		{"over, the list soon, too", 15*day + 2*time.Second, ""},
		{"both, a day later", 17 * day, "role=server"},
	} {
		got := said(test.at)
		if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// A certificate that is loaded in place of another of its name is told of at once, and so is its end.
func TestRenewedCertificateIsAnother(t *testing.T) {
	var log bytes.Buffer
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	end := now.Add(24 * time.Hour)
	w := NewWatch(slog.New(slog.NewTextHandler(&log, nil)), func(now time.Time) []Entry {
		return []Entry{{Role: "server", Subject: "CN=gate", NotAfter: end, Days: wholeDays(end.Sub(now))}}
	})
	w.Look(now)
	end = now.Add(5 * 24 * time.Hour)
	w.Look(now.Add(time.Minute))
	w.Look(now.Add(2 * time.Minute))
	w.Look(end.Add(time.Second))
	if strings.Count(log.String(), "expires soon") != 2 || strings.Count(log.String(), "expired") != 1 {
		t.Error(log.String())
	}
}
