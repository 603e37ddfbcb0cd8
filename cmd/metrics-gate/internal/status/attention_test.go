package status

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/expiry"
)

// Refusals want attention while no request is allowed, with their number, their time and the last
// reason. While others get in, they may be one client's.
func TestNobodyGetsIn(t *testing.T) {
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return now.Add(-time.Duration(minutes) * time.Minute) }
	scan := Refusal{At: at(90), First: at(90), Times: 1, Message: "handshake failed", host: "192.0.2.9",
		Reason: "closed", Advice: "nothing"}
	expired := Refusal{At: at(1), First: at(60), Times: 59, Message: "authentication refused", Remote: "10.0.0.7:1",
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
			Remote:  "10.0.0.7:1"}}, "no request was allowed since the start: " +
			"1 refusal since 2026-11-22 02:59:00 UTC, the last from 10.0.0.7: request refused",
			"see the last refusals below"},
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
	text := getPage(s, "application/json").Body.String()
	for _, want := range []string{`"now":0,"most":256,"share":0`, `"now":0,"most":10,"unit":"seconds","share":0`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

// A scraper that comes and is refused is not said to be absent: the finding has the reason and its
// advice, as soon as one scrape is missing.
func TestRefusedScraper(t *testing.T) {
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return now.Add(-time.Duration(seconds) * time.Second) }
	refusal := func(ago int, host string) Refusal {
		return Refusal{At: at(ago), First: at(60), Times: 4, Message: "handshake failed", host: host,
			Reason: "certificate", Err: "certificate is revoked", Advice: "issue another"}
	}
	const absent = "after 9 scrapes"
	const refused = "its address is refused: handshake failed: certificate is revoked (4 times since " +
		"2026-11-22 02:59:00 UTC)"
	for name, test := range map[string]struct {
		ago     int // seconds
		refused []Refusal
		want    string // a part; empty: no finding
		advice  string
	}{
		"late, refused": {96, []Refusal{refusal(6, "10.0.0.9"), refusal(7, "10.0.0.7")}, refused,
			"issue another"},
		"one is missing, refused":    {25, []Refusal{refusal(6, "10.0.0.7")}, refused, "issue another"},
		"in time, another refused":   {14, []Refusal{refusal(6, "10.0.0.7")}, "", ""},
		"late, another host refused": {96, []Refusal{refusal(6, "10.0.0.9")}, absent, "see whether it runs"},
		"late, its last was refused": {96, []Refusal{refusal(95, "10.0.0.7")}, absent, "see whether it runs"},
		"one is missing":             {25, nil, "", ""},
	} {
		r := &Report{At: now, Allowed: at(20), Refused: test.refused, Scrapers: []Scraper{{Subject: "dns:prometheus",
			Address: "10.0.0.7", Interval: 15, Scrapes: 9, Latest: Scrape{At: at(test.ago), Remote: "10.0.0.7:4000"}}}}
		found := r.findings()
		if test.want == "" {
			if len(found) > 0 {
				t.Errorf("%s: %+v", name, found)
			}
			continue
		}
		if len(found) != 1 || !strings.Contains(found[0].What, test.want) ||
			!strings.HasPrefix(found[0].Do, test.advice) {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

// What expires is a finding as everything else is, and the title of a gate that refuses everybody
// does not say that all is well.
func TestExpiryIsAFinding(t *testing.T) {
	s := statusOf(t, func(s *status) {
		inPeace(s)
		s.Expiry = func(time.Time) []expiry.Entry {
			return []expiry.Entry{
				{Role: "server", Subject: "CN=gate", NotAfter: s.now().Add(99 * time.Hour), Days: 4},
				{Role: "crl", Subject: "CN=ca", NotAfter: s.now().Add(-time.Hour), Days: -1},
			}
		}
	})
	var r Report
	if err := json.Unmarshal(getPage(s, "application/json").Body.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) != 2 || r.Findings[0].Level != cli.LevelFail || r.Findings[1].Level != cli.LevelWarn ||
		!strings.HasPrefix(r.Findings[0].What, "crl CN=ca expired") {
		t.Errorf("%+v", r.Findings)
	}
	const want = ": runner up, needs attention - metrics-gate</title>"
	if page := getPage(s, "").Body.String(); !strings.Contains(page, want) {
		t.Errorf("no %q", want)
	}
}

// A gate that is not ready says why and what to do, and says once that its certificate has expired.
func TestNotReadyIsAFinding(t *testing.T) {
	for _, expired := range []bool{false, true} {
		s := statusOf(t, func(s *status) {
			inPeace(s)
			s.Ready = func(time.Time) error {
				return &cli.Failure{Err: errors.New("not valid now"), Advice: "set the clock"}
			}
			if expired {
				s.Expiry = func(time.Time) []expiry.Entry {
					return []expiry.Entry{{Role: "server", Subject: "CN=a", Days: -1}}
				}
			}
		})
		var r Report
		if err := json.Unmarshal(getPage(s, "application/json").Body.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		want := cli.Fail("set the clock", "not ready: not valid now")
		if len(r.Findings) != 1 || (r.Findings[0].What == want.What) == expired ||
			(r.Findings[0].Do == want.Do) == expired || r.NotReady == "" {
			t.Errorf("expired %v: %+v", expired, r.Findings)
		}
	}
}
