package doctor

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// finding is one line of doctor.
type finding struct{ Level, What, Advice string }

// ask runs doctor in the environment of s and returns what it says of Prometheus.
func ask(t *testing.T, s *site, prometheus string) []finding {
	t.Helper()
	cmd := exec.Command(harness.Binary(t), "doctor", "--json", "--prometheus", prometheus)
	for _, entry := range s.environ {
		cmd.Env = append(cmd.Env, harness.Prefix+entry)
	}
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	var report struct{ Findings []finding }
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("%v\n%s%s", err, out.String(), complaints.String())
	}
	var found []finding
	for _, f := range report.Findings {
		if strings.HasPrefix(f.What, "prometheus: ") {
			found = append(found, f)
		}
	}
	return found
}

// judge fails the test unless found names f's cause and fix, and no cause but f's.
func judge(t *testing.T, f fault, found []finding) {
	t.Helper()
	named := ""
	for _, one := range found {
		isCause := strings.Contains(one.What, f.cause)
		if isCause && strings.Contains(one.Advice, f.fix) && named == "" {
			named = one.What + ": " + one.Advice
		}
		right := isCause || one.Level == "ok"
		for _, other := range f.also {
			right = right || strings.Contains(one.What, other)
		}
		if !right {
			t.Errorf("wrong: %+v", one)
		}
	}
	if named == "" {
		t.Errorf("cause %q and fix %q are not named: %+v", f.cause, f.fix, found)
	}
	t.Log(named)
}

// awaitScrapes waits until Prometheus has scraped each target three times.
func awaitScrapes(t *testing.T, prom *harness.Prometheus) {
	t.Helper()
	prom.Eventually(t, "min(count_over_time(up[1m])) >= bool 3", "1")
}

// startSites starts a site for each fault and returns the jobs that scrape them.
func startSites(t *testing.T, all []fault) (sites []*site, jobs string) {
	t.Helper()
	for i, f := range all {
		s := newSite(t, f.name, i+1)
		f.inject(t, s)
		s.start(t)
		sites = append(sites, s)
		jobs += s.jobs()
	}
	return sites, jobs
}

// Doctor names cause and fix of each fault, and nothing else; a gate without a fault has
// no finding.
func TestDoctorNamesEachFault(t *testing.T) {
	all := faults()
	if len(all) < 25 {
		t.Fatalf("%d faults", len(all))
	}
	sites, jobs := startSites(t, all)
	healthy := newSite(t, "healthy", len(all)+1)
	healthy.start(t)
	begin := time.Now()
	prom := harness.StartPrometheus(t, globals+loadRules(t)+"scrape_configs:\n"+jobs+healthy.jobs())
	awaitScrapes(t, prom)
	t.Logf("scraped after %s", time.Since(begin).Round(time.Millisecond))
	t.Run("faults", func(t *testing.T) {
		for i, f := range all {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				judge(t, f, ask(t, sites[i], prom.URL))
			})
		}
	})
	for _, f := range ask(t, healthy, prom.URL) {
		if f.Level != "ok" {
			t.Errorf("nothing is wrong: %+v", f)
		}
	}
}
