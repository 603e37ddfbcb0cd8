package server_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
)

// unlabelled lists the samples of text without the label.
func unlabelled(text, label string) (without []string, samples int) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		samples++
		if strings.Count(line, label) != 1 {
			without = append(without, line)
		}
	}
	return without, samples
}

// The gate's own metrics have the labels of the runner's, on both listeners.
func TestOwnMetricsNameTheRunner(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"LABELS=route=blue")
	if !strings.Contains(f.WaitFor(t, 0, "msg=started"), "runner=demo-runner") {
		t.Errorf("the start line does not name the runner:\n%s", f.Log.String())
	}
	_, public := f.Ask(t, f.Client(t, true), "GET", "/gate/metrics")
	response, err := http.Get("http://" + f.Server.AdminAddr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	admin, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for listener, text := range map[string]string{"public": public, "admin": string(admin)} {
		without, samples := unlabelled(text, `runner_name="demo-runner"`)
		if len(without) > 0 || samples < 100 {
			t.Errorf("%s: of %d samples without the label: %q", listener, samples, without)
		}
		for _, want := range []string{`route="blue"`, `exported_route="gate_metrics"`} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %s in\n%s", listener, want, text)
			}
		}
	}
}

// The own metrics are encoded as the runner's are.
func TestOwnMetricsAreCompressed(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"))
	for encoding, decode := range map[string]func(io.Reader) (io.Reader, error){
		"gzip":     func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"zstd":     func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) },
		"identity": func(r io.Reader) (io.Reader, error) { return r, nil },
	} {
		response, body := f.Ask(t, f.Client(t, true), "GET", "/gate/metrics", "Accept-Encoding", encoding)
		if got := response.Header.Get("Content-Encoding"); got != encoding && (got != "" || encoding != "identity") {
			t.Errorf("%s: Content-Encoding %q", encoding, got)
		}
		r, err := decode(strings.NewReader(body))
		if err != nil {
			t.Errorf("%s: %v", encoding, err)
			continue
		}
		if text, err := io.ReadAll(r); err != nil || !strings.Contains(string(text), "metrics_gate_build_info{") {
			t.Errorf("%s: %v in\n%s", encoding, err, text)
		}
	}
}
