package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
)

// halves is a runner that sends the first half of a large exposition, and the second only
// when told to. Later requests get both at once.
type halves struct {
	lines   int
	release chan struct{}
}

func (h halves) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", gatetest.TextFormat)
	for i := range h.lines {
		if i == h.lines/2 {
			_ = http.NewResponseController(w).Flush()
			select {
			case <-h.release:
			case <-r.Context().Done():
				return
			}
		}
		fmt.Fprintf(w, "series_number_%d{job=\"build\"} %d\n", i, i)
	}
}

// replace writes content over the file name in the gate's folder.
func replace(t *testing.T, f *gatetest.Gate, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(f.Dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// An answer that streams while name, tokens and certificates are reloaded keeps the label
// it began with to its end; the next one has the new label, and needs a new credential.
func TestReloadWhileAnAnswerStreams(t *testing.T) {
	nameFile := filepath.Join(t.TempDir(), "name")
	write := func(name string) {
		if err := os.WriteFile(nameFile, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("before")
	const lines = 40_000 // more than fits into any buffer on the way
	h := halves{lines, make(chan struct{})}
	f := gatetest.Start(t, h, config.Prefix+"RUNNER_NAME", config.Prefix+"RUNNER_NAME_FILE="+nameFile,
		config.Prefix+"COMPRESSION=off")
	old := f.Token(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		"https://"+f.Server.Addr().String()+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+old)
	response, err := f.Client(t, false).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body := bufio.NewReader(response.Body)
	first, err := body.ReadString('\n')
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response.StatusCode, err)
	}

	write("after")
	secret, line, err := auth.NewToken("prometheus")
	if err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	if err := demofiles.Write(other); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"server.pem", "server-key.pem", "ca.pem", "client.pem", "client-key.pem"} {
		content, err := os.ReadFile(filepath.Join(other, name))
		if err != nil {
			t.Fatal(err)
		}
		replace(t, f, name, string(content))
	}
	replace(t, f, "tokens", line+"\n")
	f.Signals <- syscall.SIGHUP
	for _, what := range []string{"tls", "tokens", "runner_name"} {
		f.WaitFor(t, 0, "msg=reloaded what="+what)
	}
	close(h.release)

	rest, err := io.ReadAll(body)
	if err != nil {
		t.Fatal("the answer in flight breaks off:", err)
	}
	all := first + string(rest)
	if n := strings.Count(all, `runner_name="before"`); n != lines || strings.Count(all, "\n") != lines {
		t.Errorf("%d of %d lines have the old label; %d have the new one", n, lines,
			strings.Count(all, `runner_name="after"`))
	}
	_, next := f.Ask(t, f.Client(t, false), "GET", "/metrics", "Authorization", "Bearer "+secret)
	if n := strings.Count(next, `runner_name="after"`); n != lines || strings.Contains(next, `"before"`) {
		t.Errorf("%d of %d lines of the next answer have the new label", n, lines)
	}
	if response, _ := f.Ask(t, f.Client(t, false), "GET", "/metrics", "Authorization",
		"Bearer "+old); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("the old token: %d", response.StatusCode)
	}
}

// A kept connection, on which scrapes repeat, gets the new label with its next scrape.
func TestKeptConnectionGetsTheNewLabel(t *testing.T) {
	nameFile := filepath.Join(t.TempDir(), "name")
	f := func() *gatetest.Gate {
		if err := os.WriteFile(nameFile, []byte("one"), 0o600); err != nil {
			t.Fatal(err)
		}
		return gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"RUNNER_NAME",
			config.Prefix+"RUNNER_NAME_FILE="+nameFile)
	}()
	c := f.Client(t, true)
	for i, name := range []string{"one", "two", "three"} {
		if i > 0 {
			before := len(f.Log.String())
			if err := os.WriteFile(nameFile, []byte(name), 0o600); err != nil {
				t.Fatal(err)
			}
			f.Signals <- syscall.SIGHUP
			f.WaitFor(t, before, "msg=reloaded what=runner_name")
		}
		for range 3 {
			if _, got := f.Ask(t, c, "GET", "/metrics"); got != "up{runner_name=\""+name+"\"} 1\n" {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
}

// A bad file of one kind keeps its old state, counts as an error, and stops no other kind.
func TestBadFileKeepsTheOldState(t *testing.T) {
	for name, test := range map[string]struct{ file, content, what string }{
		"certificate": {"server.pem", "nonsense", "tls"},
		"key":         {"server-key.pem", "", "tls"},
		"CA":          {"ca.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n", "tls"},
		"tokens":      {"tokens", "prometheus sha256:00\n", "tokens"},
	} {
		t.Run(name, func(t *testing.T) {
			f := gatetest.Start(t, gatetest.Exposes("up 1\n"))
			certificate, token := f.Client(t, true), []string{"Authorization", "Bearer " + f.Token(t)}
			nobody := f.Client(t, false)
			replace(t, f, test.file, test.content)
			f.Signals <- syscall.SIGHUP
			f.WaitFor(t, 0, "what="+test.what+" err=")
			if response, _ := f.Ask(t, nobody, "GET", "/metrics", token...); response.StatusCode != 200 {
				t.Errorf("token: %d", response.StatusCode)
			}
			_, own := f.Ask(t, certificate, "GET", "/gate/metrics")
			for _, what := range []string{"tls", "tokens", "jwks", "runner_name"} {
				none := `metrics_gate_reloads_total{result="error",what="` + what + `",runner_name="demo-runner"} 0`
				if strings.Contains(own, none+"\n") != (what != test.what) {
					t.Errorf("errors of %s: not counted, or of another kind", what)
				}
			}
		})
	}
}
