package docs

import (
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// table returns the rows of a page's tables whose head begins with the column first, cells trimmed.
func table(t *testing.T, page, first string) [][]string {
	t.Helper()
	var rows [][]string
	inside := false
	for line := range strings.Lines(read(t, filepath.Join(harness.Root(), "docs", page))) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case !strings.HasPrefix(line, "|"):
			inside = false
		case cells[0] == first:
			inside = true
		case inside && !strings.HasPrefix(cells[0], "---"):
			rows = append(rows, cells)
		}
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no table of %s", page, first)
	}
	return rows
}

// code returns what stands in backquotes.
func code(cell string) []string {
	var list []string
	for _, found := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(cell, -1) {
		list = append(list, found[1])
	}
	slices.Sort(list)
	return list
}

// ownMetrics returns the metrics of a gate with every method on, by name.
func ownMetrics(t *testing.T) map[string]*dto.MetricFamily {
	t.Helper()
	runner := harness.StartRunner(t, harness.Replay(t))
	p := newSetup(t, runner.Address, "OIDC_ISSUER_URL=https://127.0.0.1:9", "OIDC_AUDIENCE=gate")
	p.Write(t, "crl.pem",
		testca.CRLPEM(testca.Must(p.CA.CRL(testca.CRLOptions{NextUpdate: time.Now().Add(time.Hour)}))))
	gate := harness.StartGate(t, append(p.environ, "TLS_CLIENT_CRL_FILE="+p.File("crl.pem"))...)
	response, err := http.Get("http://" + gate.Admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(families, func(name string, _ *dto.MetricFamily) bool {
		return !strings.HasPrefix(name, "metrics_gate_")
	})
	return families
}

// labels returns the values of each label of a family, without the injected one.
func labels(family *dto.MetricFamily) map[string][]string {
	values := map[string][]string{}
	for _, metric := range family.GetMetric() {
		for _, pair := range metric.GetLabel() {
			if name := pair.GetName(); name != "runner_name" && !slices.Contains(values[name], pair.GetValue()) {
				values[name] = append(values[name], pair.GetValue())
			}
		}
	}
	for _, list := range values {
		slices.Sort(list)
	}
	return values
}

// docs/metrics.md lists the metrics that the gate exposes, with type, labels and their values.
func TestMetricsReference(t *testing.T) {
	families := ownMetrics(t)
	listed := map[string]bool{}
	for _, row := range table(t, "metrics.md", "metric") {
		name := strings.Trim(row[0], "`")
		listed[name] = true
		family := families[name]
		if family == nil {
			t.Errorf("%s does not exist", name)
			continue
		}
		if kind := strings.ToLower(family.GetType().String()); row[1] != kind {
			t.Errorf("%s is a %s", name, kind)
		}
		if got := slices.Sorted(maps.Keys(labels(family))); !slices.Equal(code(row[2]), got) {
			t.Errorf("%s has the labels %q", name, got)
		}
		if row[3] == "" || row[4] == "" {
			t.Errorf("%s: no meaning, or nothing to do", name)
		}
	}
	for name := range families {
		if !listed[name] {
			t.Errorf("%s is not in docs/metrics.md", name)
		}
	}
	fixed := map[string]bool{"rule": true, "issuer": true, "version": true, "revision": true, "goversion": true}
	for _, row := range table(t, "metrics.md", "label") {
		label, name := strings.Trim(row[0], "`"), strings.Trim(row[1], "`")
		fixed[name+label], fixed[label] = true, true
		if got := labels(families[name])[label]; !slices.Equal(code(row[2]), got) {
			t.Errorf("%s of %s: the page has %q, the gate %q", label, name, code(row[2]), got)
		}
	}
	for name, family := range families {
		for label := range labels(family) {
			if !fixed[label] {
				t.Errorf("%s: the values of %s are not in docs/metrics.md", name, label)
			}
		}
	}
}

// docs/compatibility.md names tests that exist, and the versions of e2e/go.mod.
func TestCompatibilityReference(t *testing.T) {
	tests := ""
	files, err := filepath.Glob(filepath.Join(harness.Root(), "e2e", "*", "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		tests += read(t, path)
	}
	modules := read(t, filepath.Join(harness.Root(), "e2e", "go.mod"))
	for _, row := range table(t, "compatibility.md", "program") {
		for _, name := range code(row[2]) {
			switch {
			case strings.HasPrefix(name, "Test"):
				if !strings.Contains(tests, "func "+name+"(t *testing.T)") {
					t.Errorf("%s does not exist", name)
				}
			case strings.Contains(name, " v"):
				if !strings.Contains(modules, "\t"+name+" ") && !strings.Contains(modules, "\t"+name+"\n") {
					t.Errorf("e2e/go.mod does not have %s", name)
				}
			case strings.Contains(name, "/"):
				if _, err := os.Stat(filepath.Join(harness.Root(), name)); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// docs/variables.md says reload of the files whose content a SIGHUP loads: a bad one is counted.
func TestReloadedFiles(t *testing.T) {
	runner := harness.StartRunner(t, harness.Replay(t))
	p := newSetup(t, runner.Address, "OIDC_ISSUER_URL=https://127.0.0.1:9", "OIDC_AUDIENCE=gate")
	p.Write(t, "crl.pem",
		testca.CRLPEM(testca.Must(p.CA.CRL(testca.CRLOptions{NextUpdate: time.Now().Add(time.Hour)}))))
	p.Write(t, "name", []byte("build-01"))
	p.Write(t, "issuer.pem", p.CA.CertPEM())
	named := func(entry string) bool { return strings.HasPrefix(entry, "RUNNER_NAME=") }
	p.environ = append(slices.DeleteFunc(p.environ, named), "RUNNER_NAME_FILE="+p.File("name"),
		"TLS_CLIENT_CRL_FILE="+p.File("crl.pem"), "OIDC_CA_FILE="+p.File("issuer.pem"))
	files := map[string]string{}
	for _, entry := range p.environ {
		name, value, _ := strings.Cut(entry, "=")
		files[name] = value
	}
	gate := harness.StartGate(t, p.environ...)
	for _, row := range table(t, "variables.md", "variable") {
		name := strings.Trim(row[0], "`")
		if row[3] != "reload" || name == "OIDC_JWKS_FILE" { // it excludes OIDC_CA_FILE
			continue
		}
		path := files[name]
		good := []byte(read(t, path))
		if err := os.WriteFile(path, []byte{0}, 0o600); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		before := strings.Count(gate.Log(), "reload refused, the old state stays")
		gate.Signal(t, syscall.SIGHUP)
		harness.Eventually(t, name+" is read again", func() bool {
			return strings.Count(gate.Log(), "reload refused, the old state stays") > before
		})
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
