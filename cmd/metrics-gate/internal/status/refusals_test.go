package status

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

// newTap returns refusals, their logger, and what the logger writes from the level on.
func newTap(level slog.Level) (*Refusals, *slog.Logger, *bytes.Buffer) {
	l, out := new(Refusals), new(bytes.Buffer)
	return l, slog.New(l.Handler(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level}))), out
}

func TestRefusalsComeFromTheLog(t *testing.T) {
	for level, lines := range map[slog.Level]int{slog.LevelDebug: 5, slog.LevelError: 1} {
		l, log, out := newTap(level)
		log.Info("request", "remote", "10.0.0.1:1")
		log.Warn("a key of the issuer cannot be used", "kid", "a")
		log.Error("panic", "remote", "10.0.0.1:1")
		log.Warn("authorization refused", "remote", "10.0.0.1:1", "method", "token", "subject", "token:ci",
			"issuer", "i", "route", "pprof", "reason", "denied", "err", "no pattern", "unknown", 7)
		log.Warn("request refused", slog.String("remote", "[::1]:2"), slog.String("reason", "too many requests"),
			slog.String("advice", "scrape less often"))
		list := l.Latest()
		if len(list) != 2 {
			t.Fatalf("%+v", list)
		}
		if r := list[1]; r.Message != "authorization refused" || r.Remote != "10.0.0.1:1" || r.Method != "token" ||
			r.Subject != "token:ci" || r.Issuer != "i" || r.Route != "pprof" || r.Reason != "denied" ||
			r.Err != "no pattern" || r.Times != 1 || r.At.IsZero() {
			t.Errorf("%+v", r)
		}
		if r := list[0]; r.Advice != "scrape less often" {
			t.Errorf("no advice: %+v", r)
		}
		if got := strings.Count(out.String(), "\n"); got != lines {
			t.Errorf("%s: %d lines pass, want %d:\n%s", level, got, lines, out)
		}
	}
}

// One peer that is refused for one reason is one entry, whatever its port.
func TestRefusalsAreCounted(t *testing.T) {
	l, log, _ := newTap(slog.LevelWarn)
	refuse := func(remote, reason string) {
		log.Warn("authentication refused", "remote", remote, "reason", reason, "err", "of "+remote)
	}
	refuse("10.0.0.1:1", "expired")
	refuse("10.0.0.2:1", "expired")
	refuse("10.0.0.1:2", "unknown")
	refuse("10.0.0.1:3", "expired")
	var got []string
	for _, r := range l.Latest() {
		got = append(got, fmt.Sprint(r.Remote, " ", r.Reason, " ", r.Times, " ", r.Err))
	}
	want := []string{"10.0.0.1:3 expired 2 of 10.0.0.1:3", "10.0.0.1:2 unknown 1 of 10.0.0.1:2",
		"10.0.0.2:1 expired 1 of 10.0.0.2:1"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if r := l.Latest()[0]; r.At.Before(r.First) || r.First.IsZero() {
		t.Errorf("from %s to %s", r.First, r.At)
	}
}

// A flood of names takes bounded memory, and the latest stay.
func TestRefusalsAreBounded(t *testing.T) {
	l, log, _ := newTap(slog.LevelError)
	long := strings.Repeat("é", 4*maxText)
	for i := range 3 * maxRefusals {
		log.Warn("authentication refused", "remote", "10.0.0.1:1", "subject", fmt.Sprint(i, long), "err", long)
	}
	list := l.Latest()
	if len(list) != maxRefusals || !strings.HasPrefix(list[0].Subject, fmt.Sprint(3*maxRefusals-1)) {
		t.Errorf("%d, first %.20q", len(list), list[0].Subject)
	}
	for _, r := range list {
		if most := maxText + len("…"); len(r.Subject) > most || len(r.Err) > most ||
			!strings.HasSuffix(r.Err, "é…") {
			t.Errorf("%d and %d bytes", len(r.Subject), len(r.Err))
		}
	}
}

func TestRefusalHandlerKeepsAttributes(t *testing.T) {
	l, log, out := newTap(slog.LevelInfo)
	log.With("a", 1).WithGroup("g").Warn("request refused", "remote", "10.0.0.1:1")
	if len(l.Latest()) != 1 || !strings.Contains(out.String(), "a=1 g.remote=10.0.0.1:1") {
		t.Errorf("%v: %s", l.Latest(), out)
	}
}

// One host does not push out what others were refused, whatever subjects it claims.
func TestRefusalsOfOneHost(t *testing.T) {
	l, log, _ := newTap(slog.LevelWarn)
	log.Warn("authorization refused", "remote", "10.0.0.1:1", "subject", "token:ci")
	for i := range 3 * maxRefusals {
		log.Warn("authentication refused", "remote", fmt.Sprintf("[2001:db8::%x]:1", i), "subject", fmt.Sprint(i))
	}
	if !slices.ContainsFunc(l.Latest(), func(r Refusal) bool { return r.Subject == "token:ci" }) {
		t.Errorf("the first host's refusal is gone: %v", l.Latest())
	}
}
