package gate

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/tlsconf"
)

// A refused file is logged with what to do about it.
func TestReloaderAdvises(t *testing.T) {
	var out bytes.Buffer
	r := newReloader(slog.New(slog.NewTextHandler(&out, nil)), prometheus.NewRegistry())
	r.add("tls", func() (bool, error) {
		return false, &tlsconf.FileError{Role: tlsconf.RoleServer, Advice: "replace it", Err: errors.New("bad")}
	})
	r.all(true)
	if !strings.Contains(out.String(), `advice="replace it"`) {
		t.Error(out.String())
	}
}

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
	for _, asked := range []bool{true, false} {
		failure, changed = errors.New("line 3: malformed"), false
		r.all(asked)
		out.Reset()
		before := count("success")
		failure = nil
		r.all(asked)
		if count("success") != before+1 || !strings.Contains(out.String(), "reloaded") {
			t.Errorf("a bad file is good again, with what it held before: success %v, %s", count("success")-before,
				out.String())
		}
		out.Reset()
		r.all(asked)
		if count("success") != before+1 || strings.Contains(out.String(), "environment restart the gate") != asked {
			t.Errorf("it is good again once more: success %v, %s", count("success")-before, out.String())
		}
	}
}

// A file that changes is reloaded soon, once for all changes that come together, and again at the
// next change.
func TestChangedFileIsReloaded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tokens")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	write("0")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r := newReloader(slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	read := make(chan string, 8)
	r.add("tokens", func() (bool, error) {
		content, err := os.ReadFile(path)
		read <- string(content)
		return true, err
	}, path)
	now, done := make(chan chan struct{}), make(chan struct{})
	go r.run(ctx, now, func(time.Time) bool { return false })
	now <- done
	<-done
	<-read
	for _, want := range []string{"2", "4"} {
		write("discarded")
		write(want)
		if got := <-read; got != want {
			t.Errorf("read %q, want %q", got, want)
		}
	}
}

// Events tell of a change from the start on, not only after the first look.
func TestFilesAreWatchedFromTheStart(t *testing.T) {
	var out bytes.Buffer
	r := newReloader(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})),
		prometheus.NewRegistry())
	r.add("tls", func() (bool, error) { return false, nil }, filepath.Join(t.TempDir(), "missing", "file"))
	ended, end := context.WithCancel(t.Context())
	end()
	r.run(ended, nil, func(time.Time) bool { return false })
	if !strings.Contains(out.String(), "files are looked at instead of watched") {
		t.Error("no watch before the first look")
	}
}

// The state of a reload tells the last error, and whether it stands.
func TestReloadsTellTheLastError(t *testing.T) {
	r := newReloader(slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	var changed bool
	var failure error
	r.add("tls", func() (bool, error) { return false, nil })
	r.add("tokens", func() (bool, error) { return changed, failure })
	g := &Gate{reloader: r}
	for _, test := range []struct {
		name            string
		changed         bool
		err             error
		loaded, failing bool
		last            string
	}{
		{"nothing changed", false, nil, false, false, ""},
		{"bad", false, errors.New("line 3: malformed"), false, true, "line 3: malformed"},
		{"put back", false, nil, false, false, "line 3: malformed"},
		{"good", true, nil, true, false, "line 3: malformed"},
		{"bad again", false, errors.New("empty"), true, true, "empty"},
	} {
		changed, failure = test.changed, test.err
		r.all(false)
		list := g.Reloads()
		if got := list[1]; got.What != "tokens" || got.Loaded.IsZero() == test.loaded || got.Failing != test.failing ||
			got.Err != test.last || got.ErrAt.IsZero() != (test.last == "") {
			t.Errorf("%s: %+v", test.name, got)
		}
		if list[0] != (ReloadState{What: "tls"}) {
			t.Errorf("%s: the other set: %+v", test.name, list[0])
		}
	}
}

// Each reload that is refused is logged with what to do.
func TestReloadAdvice(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens := func(path string) error { _, err := auth.LoadTokens(path); return err }
	keys := func(path string) error {
		_, err := auth.NewOIDC(auth.OIDCOptions{Issuer: "https://id.example", Audiences: []string{"g"}, JWKSFile: path})
		return err
	}
	name := func(path string) error {
		_, err := config.NewRunnerLabels(&config.Config{Label: config.Label{RunnerNameFile: path}})
		return err
	}
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		err  error
		want string
	}{
		{tokens(bad), "metrics-gate token NAME prints a new token"}, {tokens(dir), "name the file in it"},
		{tokens(filepath.Join(dir, "none")), "install it"}, {keys(bad), "it must be a JWK Set"},
		{keys(filepath.Join(dir, "none")), "install it"}, {name(empty), "write the name of the runner into it"},
		{name(filepath.Join(dir, "none")), "install it"},
		{errors.New("x"), "correct the file; the gate reads it again within 10 s"},
	} {
		var out bytes.Buffer
		r := newReloader(slog.New(slog.NewTextHandler(&out, nil)), prometheus.NewRegistry())
		r.add("tokens", func() (bool, error) { return false, test.err })
		r.all(true)
		g := &Gate{reloader: r}
		if test.err == nil || !strings.Contains(out.String(), ` advice="`+test.want) ||
			!strings.HasPrefix(g.Reloads()[0].Advice, test.want) {
			t.Errorf("%v: %s", test.err, out.String())
		}
	}
}
