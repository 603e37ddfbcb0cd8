package docs

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"sigs.k8s.io/yaml"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// fencedBlocks returns the contents of a page's blocks of one kind, such as yaml.
func fencedBlocks(t *testing.T, page, kind string) []string {
	t.Helper()
	var list []string
	for _, found := range regexp.MustCompile("(?s)```"+kind+"\n(.*?)```").FindAllStringSubmatch(
		read(t, filepath.Join(harness.Root(), "docs", page)), -1) {
		list = append(list, found[1])
	}
	return list
}

// yamlBlocks returns the YAML blocks of a page that configure scrapes.
func yamlBlocks(t *testing.T, page string) []string {
	t.Helper()
	return slices.DeleteFunc(fencedBlocks(t, page, "yaml"), func(text string) bool {
		return !strings.Contains(text, "scrape_configs:")
	})
}

// promtool reads the scrape configurations of the pages, also inside that of the
// OpenTelemetry Collector.
func TestScrapeConfigurationsLoad(t *testing.T) {
	loaded := 0
	for _, page := range []string{"scrapers.md", "fleet.md"} {
		for _, text := range yamlBlocks(t, page) {
			var collector struct {
				Receivers struct {
					Prometheus struct{ Config map[string]any }
				}
			}
			if err := yaml.Unmarshal([]byte(text), &collector); err != nil {
				t.Fatal(err)
			}
			if inner := collector.Receivers.Prometheus.Config; inner != nil {
				nested, err := yaml.Marshal(inner)
				if err != nil {
					t.Fatal(err)
				}
				text = string(nested)
			}
			runTool(t, "promtool", "check", "config", "--syntax-only", writeTemp(t, "prometheus.yml", text))
			loaded++
		}
	}
	if loaded < 3 {
		t.Errorf("%d configurations", loaded)
	}
}

// The configuration for Telegraf is TOML, with settings of its input "prometheus" only.
func TestTelegrafConfigurationParses(t *testing.T) {
	var telegraf struct {
		Inputs struct {
			Prometheus []struct {
				URLs    []string `toml:"urls"`
				Version int      `toml:"metric_version"`
				CA      string   `toml:"tls_ca"`
				Cert    string   `toml:"tls_cert"`
				Key     string   `toml:"tls_key"`
			} `toml:"prometheus"`
		} `toml:"inputs"`
	}
	list := fencedBlocks(t, "scrapers.md", "toml")
	if len(list) != 1 {
		t.Fatalf("%d configurations", len(list))
	}
	decoded, err := toml.Decode(list[0], &telegraf)
	if err != nil {
		t.Fatal(err)
	}
	if unknown := decoded.Undecoded(); len(unknown) != 0 {
		t.Errorf("unknown settings: %v", unknown)
	}
	if input := telegraf.Inputs.Prometheus; len(input) != 1 || len(input[0].URLs) != 2 {
		t.Errorf("%+v", telegraf)
	}
}

// Alloy takes one attribute or the begin or end of one block from a line.
func TestAlloyConfigurationHasOneAttributeALine(t *testing.T) {
	line := regexp.MustCompile(`^\s*(}|[\w.]+( "\w+")? {|\w+ += ("[^"]*"|\[.*\]))$`)
	list := fencedBlocks(t, "scrapers.md", "text")
	if len(list) != 2 {
		t.Fatalf("%d configurations", len(list))
	}
	for text := range strings.Lines(strings.Join(list, "")) {
		if text = strings.TrimSuffix(text, "\n"); !line.MatchString(text) {
			t.Errorf("Alloy does not read %q", text)
		}
	}
}

// Prometheus, its agent mode and vmagent scrape both endpoints of a gate with the configuration of
// docs/scrapers.md as it stands there.
func TestScrapersScrapeAsDocumented(t *testing.T) {
	scrape := "global: {scrape_interval: 1s, scrape_timeout: 1s}\n" + yamlBlocks(t, "scrapers.md")[0]
	remote := "remote_write: [{url: 'http://127.0.0.1:1/'}]\n"
	for name, c := range map[string]struct{ command, config string }{
		"prometheus": {"prometheus --config.file=c.yml --storage.tsdb.path=data", scrape},
		"agent": {"prometheus --enable-feature=agent --config.file=c.yml --storage.agent.path=data",
			scrape + remote},
		"vmagent": {"vmagent -promscrape.config=c.yml -remoteWrite.tmpDataPath=data " +
			"-remoteWrite.url=http://127.0.0.1:1/", scrape},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newSandbox(t)
			if err := os.WriteFile(filepath.Join(m.home, "reader", "c.yml"), []byte(c.config), 0o600); err != nil {
				t.Fatal(err)
			}
			x := m.open(t)
			defer x.close()
			out, err := x.paste(fmt.Sprintf(`
export METRICS_GATE_TLS_CERT_FILE=/etc/metrics-gate/tls.crt METRICS_GATE_TLS_KEY_FILE=/etc/metrics-gate/tls.key
export METRICS_GATE_TLS_CLIENT_CA_FILE=/etc/metrics-gate/client-ca.crt
export METRICS_GATE_METRICS_ALLOW=dns:prometheus.example.com METRICS_GATE_ACCESS_LOG=on
metrics-gate 2> gate.log &
%s 2> scraper.log &
for path in metrics gate_metrics; do
  for _ in $(seq 200); do
    grep "\"route\":\"$path\",\"status\":200" gate.log && continue 2
    sleep 0.1
  done
  tail gate.log scraper.log
  exit 1
done`, c.command), "-e")
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// An Authorization header is a credential of its own: Basic is refused along with a good certificate.
func TestBasicBesideACertificateIsRefused(t *testing.T) {
	runner := harness.StartRunner(t, harness.Replay(t))
	p := newSetup(t, runner.Address)
	gate := harness.StartGate(t, p.environ...)
	client := p.Client(testca.Must(p.CA.Issue(testca.Options{DNSNames: []string{"prometheus.example"}})))
	for header, want := range map[string]int{"": 200, "Basic cHJvbWV0aGV1czpzZWNyZXQ=": 401} {
		request, err := http.NewRequest(http.MethodGet, "https://"+gate.Address+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		if header != "" {
			request.Header.Set("Authorization", header)
		}
		request.Header.Set("X-Scope-Orgid", "anything")
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%q: %d, want %d", header, response.StatusCode, want)
		}
	}
}

// The label stage of docs/faq.md: the gate renames the runner's only if LABELS sets one.
func TestRunnersStageAgainstYours(t *testing.T) {
	runner := harness.StartRunner(t, harness.Replay(t))
	for setting, want := range map[string][]string{
		"LABELS=environment=production": {`stage="step_script"`, `environment="production"`},
		"LABELS=stage=production":       {`exported_stage="step_script"`, `,stage="production"`},
	} {
		p := newSetup(t, runner.Address, setting)
		gate := harness.StartGate(t, p.environ...)
		pair := testca.Must(p.CA.Issue(testca.Options{DNSNames: []string{"prometheus.example"}}))
		response, err := p.Client(pair).Get("https://" + gate.Address + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		lines := slices.DeleteFunc(strings.Split(string(body), "\n"),
			func(line string) bool { return !strings.Contains(line, "step_script") })
		if len(lines) == 0 {
			t.Fatal("no sample of the stage")
		}
		for _, label := range want {
			if !strings.Contains(lines[0], label) {
				t.Errorf("%s: no %s in %s", setting, label, lines[0])
			}
		}
	}
}
