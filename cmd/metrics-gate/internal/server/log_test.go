package server

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

func TestLogIsOneEscapedLine(t *testing.T) {
	var out bytes.Buffer
	log := NewLogger(&out, config.Process{LogLevel: "info", LogFormat: "json"})
	log.Debug("hidden")
	log.Info("refused", "subject", "a\nb\x1b[31m\u2028"+strings.Repeat("x", 2000))
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	if len(lines) != 1 {
		t.Fatalf("%d lines: %s", len(lines), out.String())
	}
	var record struct{ Subject, Level string }
	if err := json.Unmarshal(lines[0], &record); err != nil {
		t.Fatal(err)
	}
	if len(record.Subject) > maxLogValue+len("…") || record.Level != "INFO" || bytes.ContainsRune(lines[0], 0x1b) {
		t.Errorf("%d bytes of subject, %s", len(record.Subject), lines[0])
	}
}

func TestLogCutsAtARune(t *testing.T) {
	a := capped(nil, slog.String("k", strings.Repeat("x", maxLogValue-1)+"ü"+strings.Repeat("y", 9)))
	if got := a.Value.String(); got != strings.Repeat("x", maxLogValue-1)+"…" {
		t.Errorf("%q", got[maxLogValue-4:])
	}
}

func TestLogWarningsAreBounded(t *testing.T) {
	var out bytes.Buffer
	log := NewLogger(&out, config.Process{LogLevel: "warn", LogFormat: "text"})
	for range 1000 {
		log.With("remote", "192.0.2.1").Warn("request refused")
	}
	if n := strings.Count(out.String(), "\n"); n < warnBurst || n > 2*warnBurst {
		t.Errorf("%d of 1000 warnings passed, want about %d", n, warnBurst)
	}
	log.Warn("another message")
	log.Error("an error")
	for _, want := range []string{"another message", "an error"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q was left out", want)
		}
	}
}

func TestThrottleCountsWhatItLeavesOut(t *testing.T) {
	h := newThrottled(slog.DiscardHandler)
	for range warnBurst {
		h.shared.pass("m")
	}
	h.shared.buckets["m"].omitted = 41
	h.shared.buckets["m"].bucket.SetBurst(10 * warnBurst)
	h.shared.buckets["m"].bucket.SetLimit(1e9)
	var omitted int64
	for omitted == 0 {
		omitted, _ = h.shared.pass("m")
	}
	if omitted < 41 {
		t.Errorf("%d omitted, want 41 or more", omitted)
	}
}

// A panic is logged with its peer and its place, and cuts the answer. One that only cuts the
// answer is not logged.
func TestPanicsAreLogged(t *testing.T) {
	var unset map[string]int
	for name, test := range map[string]struct {
		do     func()
		logged string
	}{
		"abort": {func() { panic(http.ErrAbortHandler) }, ""},
		"value": {func() { panic("boom") }, "err=boom at=\"github.com/"},
		"nil map": {func() { unset["a"] = 1 },
			"err=\"assignment to entry in nil map\" at=\"github.com/"},
		"none": {func() {}, ""},
	} {
		var out bytes.Buffer
		h := logPanics(slog.New(slog.NewTextHandler(&out, nil)), http.HandlerFunc(
			func(http.ResponseWriter, *http.Request) { test.do() }))
		var recovered any
		func() {
			defer func() { recovered = recover() }()
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/metrics", nil))
		}()
		if (recovered == http.ErrAbortHandler) != (name != "none") {
			t.Errorf("%s: %v passes", name, recovered)
		}
		if (test.logged == "") != (out.Len() == 0) || !strings.Contains(out.String(), test.logged) ||
			(out.Len() > 0 && (!strings.Contains(out.String(), "remote=192.0.2.1:1234") ||
				!strings.Contains(out.String(), "log_test.go:"))) {
			t.Errorf("%s: %s", name, out.String())
		}
	}
}
