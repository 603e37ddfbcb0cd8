package harness

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

// Prometheus is a running Prometheus server from the Debian package prometheus.
type Prometheus struct {
	URL string
	log testwait.Buffer
}

// Sample is one result of a query.
type Sample struct {
	Metric map[string]string
	Time   time.Time
	Value  string
}

// StartPrometheus runs the server with config (YAML) and waits until it is ready.
func StartPrometheus(t testing.TB, config string, more ...string) *Prometheus {
	t.Helper()
	path, err := exec.LookPath("prometheus")
	if err != nil {
		t.Fatal("prometheus is missing: apt-get install prometheus")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	address := FreeAddress(t)
	p := &Prometheus{URL: "http://" + address}
	arguments := append([]string{"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data"),
		"--web.listen-address=" + address}, more...)
	cmd := exec.Command(path, arguments...)
	cmd.Stdout, cmd.Stderr = &p.log, &p.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("log of Prometheus:\n%s", tail(p.log.String(), 30))
		}
	})
	if err := WaitHTTP(p.URL+"/-/ready", 30*time.Second); err != nil {
		t.Fatalf("%v\n%s", err, p.log.String())
	}
	return p
}

// Query runs an instant query.
func (p *Prometheus) Query(query string) ([]Sample, error) {
	var results []struct {
		Metric map[string]string
		Value  [2]any
	}
	if err := p.query(query, &results); err != nil {
		return nil, err
	}
	samples := make([]Sample, len(results))
	for i, r := range results {
		samples[i] = newSample(r.Metric, r.Value)
	}
	return samples, nil
}

// Range returns the stored samples of a selector since begin.
func (p *Prometheus) Range(selector string, begin time.Time) ([]Sample, error) {
	var results []struct {
		Metric map[string]string
		Values [][2]any
	}
	seconds := int(time.Since(begin).Seconds()) + 1
	if err := p.query(fmt.Sprintf("%s[%ds]", selector, seconds), &results); err != nil {
		return nil, err
	}
	var samples []Sample
	for _, r := range results {
		for _, value := range r.Values {
			if s := newSample(r.Metric, value); !s.Time.Before(begin) {
				samples = append(samples, s)
			}
		}
	}
	return samples, nil
}

// newSample converts a pair of time and value of the HTTP API.
func newSample(metric map[string]string, value [2]any) Sample {
	seconds, _ := value[0].(float64)
	return Sample{metric, time.UnixMilli(int64(seconds * 1e3)), fmt.Sprint(value[1])}
}

// query decodes the result of an instant query.
func (p *Prometheus) query(query string, result any) error {
	response, err := http.Get(p.URL + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Error string
		Data  struct{ Result json.RawMessage }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Error != "" {
		return fmt.Errorf("query %s: %s", query, answer.Error)
	}
	return json.Unmarshal(answer.Data.Result, result)
}

// Eventually waits until the query has results and all of them equal value ("" means any).
func (p *Prometheus) Eventually(t testing.TB, query, value string) []Sample {
	t.Helper()
	var samples []Sample
	err := Poll(30*time.Second, func() (err error) {
		if samples, err = p.Query(query); err != nil {
			return err
		}
		differs := func(s Sample) bool { return value != "" && s.Value != value }
		if len(samples) == 0 || slices.ContainsFunc(samples, differs) {
			return errors.New("not yet")
		}
		return nil
	})
	if err != nil {
		t.Errorf("%s is not %q: %v %v", query, value, samples, err)
		return nil
	}
	return samples
}
