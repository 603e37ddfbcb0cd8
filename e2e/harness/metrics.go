package harness

import (
	"bufio"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Metrics returns the gate's own metrics from the admin listener, by series without the
// label that names the runner.
func (g *Gate) Metrics(t testing.TB) map[string]float64 {
	t.Helper()
	metrics, err := ReadMetrics("http://" + g.Admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	return metrics
}

// ReadMetrics reads an exposition in text at url, without the label runner_name.
func ReadMetrics(url string) (map[string]float64, error) {
	response, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	metrics, runnerLabel := map[string]float64{}, regexp.MustCompile(`,?runner_name="[^"]*"`)
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		i := strings.LastIndexByte(lines.Text(), ' ')
		if i < 0 || strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		value, err := strconv.ParseFloat(lines.Text()[i+1:], 64)
		if err != nil {
			return nil, err
		}
		series := runnerLabel.ReplaceAllString(lines.Text()[:i], "")
		metrics[strings.TrimSuffix(series, "{}")] = value
	}
	return metrics, lines.Err()
}

// Resources counts a gate's goroutines, descriptors and connections on its public listener.
type Resources struct{ Goroutines, Descriptors, Connections float64 }

// Resources returns the current counts.
func (g *Gate) Resources(t testing.TB) Resources {
	t.Helper()
	m := g.Metrics(t)
	return Resources{m["go_goroutines"], m["process_open_fds"], m["metrics_gate_connections"]}
}

// AwaitRelease waits until the gate uses no more than before. It allows a few goroutines
// and descriptors for the Go runtime and for idle connections to the runner.
func (g *Gate) AwaitRelease(t testing.TB, before Resources) {
	t.Helper()
	const slack = 8
	var now Resources
	err := Poll(30*time.Second, func() error {
		now = g.Resources(t)
		if now.Goroutines > before.Goroutines+slack || now.Descriptors > before.Descriptors+slack ||
			now.Connections > before.Connections {
			return errors.New("not released")
		}
		return nil
	})
	if err != nil {
		t.Errorf("the gate uses %+v, before it used %+v", now, before)
	}
}
