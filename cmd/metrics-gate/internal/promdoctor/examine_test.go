package promdoctor

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// A line of testdata is scheme, cause and last error, with tabs between. Those of 2.42 and
// 3.14 are recorded from runs; errors-source.txt is written from the sources of Prometheus
// 2.42, 2.53 and 3.14 and of Go.
func TestExplainRecordedErrors(t *testing.T) {
	files, err := filepath.Glob("testdata/errors-*.txt")
	if err != nil || len(files) != 3 {
		t.Fatalf("%v %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			if len(f) != 3 {
				t.Fatalf("%s: %q", file, line)
			}
			got := explain(&Gate{}, f[0]+"://192.0.2.1:9253/metrics", f[2])
			if got.cause != f[1] || got.advice == "" {
				t.Errorf("%s: %q means %q, want %q", file, f[2], got.cause, f[1])
			}
		}
	}
	got := explain(&Gate{}, "https://192.0.2.1:9253/metrics", "server returned HTTP status 401 Unauthorized")
	if !strings.Contains(got.advice, "basic_auth") || !strings.Contains(got.advice, "revocation list") {
		t.Errorf("%+v", got)
	}
	if got := explain(&Gate{}, "https://192.0.2.1:9253/metrics", "a new error"); got.pattern != "" || got.advice == "" {
		t.Errorf("%+v", got)
	}
}

// Each row of the table explains a recorded text: none is dead.
func TestEachExplanationIsRecorded(t *testing.T) {
	used := map[string]bool{}
	files, _ := filepath.Glob("testdata/errors-*.txt")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			used[explain(&Gate{}, f[0]+"://192.0.2.1:9253/metrics", f[2]).pattern] = true
		}
	}
	for _, e := range explanations(&Gate{}) {
		if !used[e.pattern] {
			t.Errorf("no recorded text for %q", e.pattern)
		}
	}
}

// server answers the HTTP API from a map of paths to the JSON of data.
func server(t *testing.T, data map[string]string) Options {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, found := data[strings.TrimPrefix(r.URL.Path, "/api/v1/")]
		if !found {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": json.RawMessage(answer)})
	}))
	t.Cleanup(s.Close)
	return Options{URL: s.URL}
}

const (
	noSeries = `{"resultType":"vector","result":[]}`
	alerts   = `{"groups":[{"rules":[{"name":"MetricsGateRunnerDown","health":"ok"}]}]}`
)

// up is a target of host:port with these labels.
func up(url, labels string) string {
	return `{"labels":{` + labels + `},"scrapePool":"runner","scrapeUrl":"` + url + `","health":"up",` +
		`"lastScrapeDuration":0.01,"scrapeTimeout":"10s"}`
}

func TestExamine(t *testing.T) {
	runner, own := up("https://build-01.example.com:9253/metrics", `"job":"a"`),
		up("https://BUILD-01:9253/gate/metrics", `"job":"b"`)
	const broken = `{"groups":[{"rules":[{"name":"MetricsGateRunnerDown","health":"err","lastError":"many"}]}]}`
	for _, test := range []struct {
		name, targets, query, rules string
		level, text                 string
	}{
		{"by host name", runner + "," + own, noSeries, alerts, cli.LevelOK, `job "runner" https://BUILD-01:9253/gate`},
		{"alerts", own, noSeries, alerts, cli.LevelOK, "1 alerts of the gate are loaded"},
		{"no alerts", own, noSeries, `{"groups":[]}`, cli.LevelWarn, "none of the gate's alerts is loaded"},
		{"broken alert", own, noSeries, broken, cli.LevelWarn, "alert MetricsGateRunnerDown does not evaluate: many"},
		{"by target label", up("https://pod:9253/metrics", `"runner_name":"r1"`), noSeries, alerts, cli.LevelWarn,
			"also a target label"},
		{"by series", up("https://10.0.0.9:9253/metrics", `"job":"pods","instance":"x"`),
			`{"result":[{"metric":{"job":"pods","instance":"x"},"value":[1,"1"]}]}`, alerts, cli.LevelOK,
			"10.0.0.9:9253/metrics: up"},
		{"another host", up("https://build-02:9253/metrics", ""), noSeries, alerts, cli.LevelFail,
			"no job has a target"},
		{"a longer name", up("https://build-011:9253/metrics", ""), noSeries, alerts, cli.LevelFail,
			"no job has a target"},
		{"without the gate", runner + "," + up("http://192.0.2.7:9252/metrics", ""), noSeries, alerts, cli.LevelWarn,
			"without the gate"},
		{"localhost is here", up("https://localhost:9253/metrics", ""), noSeries, alerts, cli.LevelOK,
			"localhost:9253"},
		{"not scraped", `{"scrapeUrl":"https://build-01:9253/metrics","health":"unknown"}`, noSeries, alerts,
			cli.LevelWarn, "not scraped yet"},
		{"plain gate", `{"scrapeUrl":"http://build-01:9253/metrics","health":"down","lastError":"Get: EOF"}`, noSeries,
			alerts, cli.LevelFail, "the connection is closed"},
		{"one name, two gates", own, `{"result":[{"metric":{"instance":"b:1"},"value":[1,"1"]},` +
			`{"metric":{"instance":"a:1"},"value":[1,"1"]}]}`, alerts, cli.LevelWarn,
			`runner_name="r1" comes from more than one instance: a:1 b:1`},
		{"many ports", up("https://build-01:1/", "") + "," + up("https://build-01:2/", "") + "," +
			up("https://build-01:3/", "") + "," + up("https://build-01:4/", ""), noSeries, alerts, cli.LevelFail,
			"https://build-01:1/ https://build-01:2/ https://build-01:3/ … (4)"},
		{"an agent", own, "", "", cli.LevelWarn, "answers no query: 404"},
	} {
		t.Run(test.name, func(t *testing.T) {
			data := map[string]string{"targets": `{"activeTargets":[` + test.targets + `]}`}
			if test.query != "" {
				data["query"], data["rules"] = test.query, test.rules
			}
			g := Gate{Hosts: []string{"192.0.2.7", "build-01"}, LocalHosts: []string{"localhost"}, Port: "9253",
				RunnerPort: "9252", LabelName: "runner_name", RunnerName: "r1", Plain: test.name == "plain gate"}
			expect(t, Examine(t.Context(), server(t, data), g, "test"), test.level, test.text)
		})
	}
}

// A job that names the gate and has no target is the cause, whatever other gates the host has.
func TestExamineAJobWithAFileThatIsMissing(t *testing.T) {
	data := map[string]string{
		"targets":       `{"activeTargets":[` + up("https://build-01:9260/metrics", "") + `]}`,
		"status/config": `{"yaml":"static_configs:\n- targets:\n  - build-01:9253\n"}`,
		"query":         noSeries, "rules": alerts}
	g := Gate{Hosts: []string{"build-01"}, Port: "9253", RunnerPort: "9252", LabelName: "runner_name"}
	expect(t, Examine(t.Context(), server(t, data), g, "test"), cli.LevelFail, "it cannot use a file of the job")
}

// expect fails the test unless a finding of that level has the text, and advice if it is not ok.
func expect(t *testing.T, found []cli.Finding, level, text string) {
	t.Helper()
	for _, f := range found {
		if f.Level == level && strings.Contains(f.What, text) && (level == cli.LevelOK) == (f.Do == "") {
			return
		}
	}
	t.Errorf("no %s %q in %+v", level, text, found)
}

func TestExamineAServerThatDoesNotAnswer(t *testing.T) {
	expect(t, Examine(t.Context(), server(t, nil), Gate{}, ""), cli.LevelFail, "404 Not Found")
	expect(t, Examine(t.Context(), server(t, map[string]string{"targets": `"text"`}), Gate{}, ""), cli.LevelFail,
		"not an answer of Prometheus' HTTP API")
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	expect(t, Examine(t.Context(), Options{URL: secure.URL}, Gate{}, ""), cli.LevelFail, "unknown authority")
	found := Examine(t.Context(), Options{URL: strings.Replace(secure.URL, "https:", "http:", 1)}, Gate{}, "")
	if len(found) != 1 || !strings.Contains(found[0].Do, "write https://") {
		t.Errorf("%+v", found)
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	found = Examine(t.Context(), Options{URL: strings.Replace(plain.URL, "http:", "https:", 1)}, Gate{}, "")
	if len(found) != 1 || !strings.Contains(found[0].Do, "write http://") {
		t.Errorf("%+v", found)
	}
	if found := Examine(t.Context(), Options{}, Gate{}, ""); found != nil {
		t.Errorf("%+v", found)
	}
}

// A runner or an admin listener in the place of Prometheus is named.
func TestExamineAServerThatIsNotPrometheus(t *testing.T) {
	for want, headers := range map[string]bool{"the runner itself answers": false, "admin listener answers": true} {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if headers {
				w.Header().Set("X-Content-Type-Options", "nosniff")
				w.Header().Set("Cache-Control", "no-store")
			}
			if r.URL.Path != "/metrics" {
				http.NotFound(w, r)
				return
			}
			_, _ = w.Write([]byte("gitlab_runner_version_info 1\nmetrics_gate_build_info 1\n"))
		}))
		found := Examine(t.Context(), Options{URL: other.URL}, Gate{}, "")
		other.Close()
		expect(t, found, cli.LevelFail, want)
	}
}

// A gate of which only the port is known has no name in a finding.
func TestExamineNamesNoEmptyRunner(t *testing.T) {
	data := map[string]string{"targets": `{"activeTargets":[]}`, "query": noSeries, "rules": alerts}
	g := Gate{Hosts: []string{"build-01"}, Port: "9253", RunnerPort: "9252", LabelName: "runner_name"}
	expect(t, Examine(t.Context(), server(t, data), g, "test"), cli.LevelFail, "this gate (port 9253) among 0")
}

// What is advised depends on the gate: what it takes, and whether it serves plain HTTP.
func TestExplainKnowsTheGate(t *testing.T) {
	const url, plain = "https://192.0.2.1:9253/metrics", "http: server gave HTTP response to HTTPS client"
	for _, test := range []struct {
		gate       Gate
		text, want string
	}{
		{Gate{Plain: true}, plain, "set scheme: http in the job"},
		{Gate{}, plain, "a gate with TLS is asked with scheme: https and its CA in ca_file"},
		{Gate{Lines: "LINES"}, "server returned HTTP status 401 Unauthorized", "write in its place LINES;"},
		{Gate{Lines: "LINES"}, "unable to read basic auth password file", "write in its place LINES"},
		{Gate{}, "unable to read basic auth password file", "or tls_config: {ca_file: ca.crt, cert_file: "},
	} {
		if got := explain(&test.gate, url, test.text).advice; !strings.Contains(got, test.want) {
			t.Errorf("%s: %s, want %s", test.text, got, test.want)
		}
	}
}
