package harness

import (
	"bufio"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Figures is the gate's own metrics by series, as they stand on the admin listener.
func (g *Gate) Figures(t testing.TB) map[string]float64 {
	t.Helper()
	figures, err := ReadFigures("http://" + g.Admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	return figures
}

// ReadFigures reads an exposition in text at url.
func ReadFigures(url string) (map[string]float64, error) {
	response, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	figures := map[string]float64{}
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
		figures[lines.Text()[:i]] = value
	}
	return figures, lines.Err()
}

// Kept is what a gate holds: goroutines, descriptors, connections of its public listener.
type Kept struct{ Goroutines, Descriptors, Connections float64 }

// Kept reads what the gate holds now.
func (g *Gate) Kept(t testing.TB) Kept {
	t.Helper()
	f := g.Figures(t)
	return Kept{f["go_goroutines"], f["process_open_fds"], f["metrics_gate_connections"]}
}

// Returns waits until the gate holds no more than before, but for a few goroutines and
// descriptors of the runtime's and of kept connections to the runner.
func (g *Gate) Returns(t testing.TB, before Kept) {
	t.Helper()
	const slack = 8
	var now Kept
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		now = g.Kept(t)
		if now.Goroutines <= before.Goroutines+slack && now.Descriptors <= before.Descriptors+slack && now.Connections <= before.Connections {
			return
		}
	}
	t.Errorf("the gate holds %+v, before it was %+v", now, before)
}

// Eventually waits until good returns true.
func Eventually(t testing.TB, what string, good func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if good() {
			return
		}
	}
	t.Fatalf("after 20 s not yet: %s", what)
}
