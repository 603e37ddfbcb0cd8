package status

import (
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// Refusals want attention while no request is allowed, with their number, their time and the last
// reason. While others get in, they may be one client's.
func TestNobodyGetsIn(t *testing.T) {
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return now.Add(-time.Duration(minutes) * time.Minute) }
	scan := Refusal{At: at(90), First: at(90), Times: 1, Message: "handshake failed", host: "192.0.2.9",
		Reason: "closed", Advice: "nothing"}
	expired := Refusal{At: at(1), First: at(60), Times: 59, Message: "authentication refused", host: "10.0.0.7",
		Reason: "expired", Advice: "renew it"}
	for name, test := range map[string]struct {
		allowed time.Time
		refused []Refusal
		want    string // empty: no attention
		advice  string
	}{
		"nothing came":     {time.Time{}, nil, "", ""},
		"all are allowed":  {at(60), nil, "", ""},
		"others get in":    {at(4), []Refusal{expired}, "", ""},
		"refused long ago": {at(30), []Refusal{scan}, "", ""},
		"none ever allowed": {time.Time{}, []Refusal{expired, scan}, "no request was allowed since the start: " +
			"60 refusals since 2026-11-22 01:30:00 UTC, the last from 10.0.0.7: expired", "renew it"},
		"none any more": {at(61), []Refusal{expired, scan}, "no request was allowed since 2026-11-22 01:59:00 UTC: " +
			"59 refusals since 2026-11-22 02:00:00 UTC, the last from 10.0.0.7: expired", "renew it"},
		"once, without a reason": {time.Time{}, []Refusal{{At: at(1), First: at(1), Times: 1,
			Message: "request refused",
			host:    "10.0.0.7"}}, "no request was allowed since the start: 1 refusal since 2026-11-22 02:59:00 UTC, " +
			"the last from 10.0.0.7: request refused", "see the last refusals below"},
	} {
		r := &Report{At: now, Allowed: test.allowed, Refused: test.refused}
		var got cli.Finding
		for _, f := range r.findings() {
			got = f
		}
		if got.What != test.want || got.Do != test.advice || (test.want != "" && got.Level != cli.LevelFail) {
			t.Errorf("%s: %+v, want %s: %s", name, got, test.want, test.advice)
		}
	}
}

// What was refused is on top of the page, and in its JSON are numbers.
func TestNobodyGetsInOnThePage(t *testing.T) {
	s := statusOf(t, func(s *status) {
		refusals := s.Refusals
		inPeace(s)
		s.Refusals = refusals
	})
	page := getPage(s, "").Body.String()
	_, box, _ := strings.Cut(page, `<section id="attention">`)
	if !strings.Contains(box, `<span class="bad"><bdi>no request was allowed since the start: 1 refusal since `) {
		t.Error(page)
	}
	json := getPage(s, "application/json").Body.String()
	for _, want := range []string{`"now":0,"most":256,"share":0`, `"now":0,"most":10,"unit":"seconds","share":0`} {
		if !strings.Contains(json, want) {
			t.Errorf("no %s in %s", want, json)
		}
	}
}
