package gate

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestReloaderCountsAndLogs(t *testing.T) {
	var out bytes.Buffer
	r := newReloader(slog.New(slog.NewTextHandler(&out, nil)), prometheus.NewRegistry())
	var changed bool
	var failure error
	r.add("tokens", func() (bool, error) { return changed, failure })
	count := func(result string) float64 { return testutil.ToFloat64(r.total.WithLabelValues("tokens", result)) }

	r.all(false)
	if out.Len() > 0 || count("success") != 0 {
		t.Errorf("nothing changed, yet: %s", out.String())
	}
	changed = true
	r.all(false)
	if count("success") != 1 || !strings.Contains(out.String(), "reloaded") {
		t.Errorf("success %v: %s", count("success"), out.String())
	}
	out.Reset()
	failure = errors.New("line 3: malformed")
	for range 3 {
		r.all(false)
	}
	if count("error") != 3 || strings.Count(out.String(), "line 3") != 1 {
		t.Errorf("the same error is counted each time and logged once: %v, %s", count("error"), out.String())
	}
	out.Reset()
	r.all(true)
	if !strings.Contains(out.String(), "line 3") {
		t.Error("whoever asks for a reload gets no answer")
	}
	out.Reset()
	failure, changed = nil, false
	r.all(true)
	if !strings.Contains(out.String(), "nothing has changed") {
		t.Errorf("whoever asks for a reload gets no answer: %s", out.String())
	}
}
