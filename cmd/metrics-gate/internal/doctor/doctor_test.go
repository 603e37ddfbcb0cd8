package doctor

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/settings"
)

// patient is a doctor before the demo's files, on a machine of the test's.
func patient(t *testing.T, environ ...string) *doctor {
	t.Helper()
	dir := t.TempDir()
	if err := demofiles.Write(dir); err != nil {
		t.Fatal(err)
	}
	all := append(demofiles.Environ(dir, "127.0.0.1:9"), config.Prefix+"ADMIN_ADDRESS=off")
	d := &doctor{
		settings: gateSettings(append(all, environ...)), now: time.Now,
		host: host{proc: filepath.Join(dir, "proc"), addresses: func() []netip.Addr { return nil }},
	}
	if found := d.configuration(); cli.Worst(found) == cli.LevelFail {
		t.Fatalf("%+v", found)
	}
	return d
}

func gateSettings(environ []string) *settings.Settings { return &settings.Settings{Environ: environ} }

// expect fails unless a finding of that level has the text, and advice if it is not ok.
func expect(t *testing.T, found []cli.Finding, level, text string) {
	t.Helper()
	for _, f := range found {
		if f.Level == level && strings.Contains(f.What+": "+f.Do, text) && (level == cli.LevelOK || f.Do != "") {
			return
		}
	}
	t.Errorf("no %s %q in %+v", level, text, found)
}

func TestDoctorNamesMistakesInTheConfiguration(t *testing.T) {
	d := &doctor{settings: gateSettings([]string{config.Prefix + "RATE_LIMT=1"}), now: time.Now}
	found := d.configuration()
	expect(t, found, cli.LevelFail, "did you mean "+config.Prefix+"RATE_LIMIT")
	expect(t, found, cli.LevelFail, config.Prefix+"METRICS_ALLOW: not set")
	if d.upstream() != "127.0.0.1:9252" || d.runnerPort() != "9252" {
		t.Errorf("%s %s", d.upstream(), d.runnerPort())
	}
	d = &doctor{settings: gateSettings(append(demofiles.Environ("/nowhere", "127.0.0.1:1"),
		config.Prefix+"METRICS_ALLOW=*")), now: time.Now}
	expect(t, d.configuration(), cli.LevelFail, "/nowhere")
	expect(t, d.configuration(), cli.LevelFail, "install it, or correct the path: the nearest folder is /")
}

func TestDoctorOfARunner(t *testing.T) {
	const info = `gitlab_runner_version_info{name="gitlab-runner",version="19.3.0"} 1` + "\n"
	for _, test := range []struct {
		name, body  string
		status      int
		environ     []string
		level, text string
	}{
		{"good", info, 200, nil, cli.LevelOK, "answers, version 19.3.0"},
		{"room", info, 200, nil, cli.LevelOK, "well below"},
		{"label", info, 200, nil, cli.LevelOK, `every sample gets runner_name="demo-runner"`},
		{"not a runner", "up 1\n", 200, nil, cli.LevelWarn, "not as a gitlab-runner"},
		{"not metrics", "", 404, nil, cli.LevelFail, "404"},
		{"large", info, 200, []string{"UPSTREAM_MAX_BYTES=80", "UPSTREAM_MAX_LINE_BYTES=75"}, cli.LevelWarn,
			"UPSTREAM_MAX_BYTES"},
		{"long line", info, 200, []string{"UPSTREAM_MAX_LINE_BYTES=75"}, cli.LevelWarn, "UPSTREAM_MAX_LINE_BYTES"},
		{"too large", info + info, 200, []string{"UPSTREAM_MAX_BYTES=80", "UPSTREAM_MAX_LINE_BYTES=75"}, cli.LevelFail,
			"larger than 80"},
		{"bears the label", info + `a{runner_name="x"} 1` + "\n", 200, nil, cli.LevelOK,
			"1 samples of the runner already have runner_name; theirs becomes"},
		{"override", info + `a{b="c",runner_name="x"} 1` + "\n", 200, []string{"LABEL_CONFLICT=override"},
			cli.LevelWarn, "duplicate series"},
		{"keep", info + `a{runner_name="x"} 1` + "\n", 200, []string{"LABEL_CONFLICT=keep"}, cli.LevelWarn, "keep it"},
		{"both", info + `a{runner_name="x",exported_runner_name="y"} 1` + "\n", 200, nil, cli.LevelWarn,
			"another " + config.Prefix + "LABEL_NAME"},
		{"host name", info, 200, []string{"RUNNER_NAME_FILE="}, cli.LevelWarn, "host's name"},
	} {
		t.Run(test.name, func(t *testing.T) {
			runner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			}))
			defer runner.Close()
			environ := []string{config.Prefix + "UPSTREAM_URL=" + runner.URL}
			for _, entry := range test.environ {
				environ = append(environ, config.Prefix+entry)
			}
			d := patient(t, environ...)
			if test.name == "host name" {
				d.config.Label.RunnerName = ""
			}
			expect(t, append(d.label(), d.runner(t.Context())...), test.level, test.text)
		})
	}
	expect(t, patient(t).runner(t.Context()), cli.LevelFail, "nothing listens there")
	expect(t, patient(t).runner(t.Context()), cli.LevelFail, `listen_address = "127.0.0.1:9"`)
}

func TestDoctorOfASlowRunner(t *testing.T) {
	d := patient(t)
	expect(t, d.bounds(nil, 6*time.Second), cli.LevelWarn, "took 6s of the 10s")
	if found := d.bounds(nil, 4*time.Second); cli.Worst(found) != cli.LevelOK {
		t.Errorf("%+v", found)
	}
}

// The command prints a line a finding, one JSON document, and leaves with 1 on a failure.
func TestDoctorCommand(t *testing.T) {
	dir := t.TempDir()
	if err := demofiles.Write(dir); err != nil {
		t.Fatal(err)
	}
	environ := append(demofiles.Environ(dir, "127.0.0.1:9"), config.Prefix+"LISTEN_ADDRESS=127.0.0.1:9",
		config.Prefix+"ADMIN_ADDRESS=off")
	var text, document, errors bytes.Buffer
	if code := gatetest.Run(t.Context(), Command(), gatetest.Process(environ, &text, &errors)); code != 1 ||
		errors.Len() > 0 {
		t.Errorf("%d %s", code, errors.String())
	}
	whose, findings, _ := strings.Cut(text.String(), "\n")
	if whose != "settings of the environment" {
		t.Errorf("the first line is %q", whose)
	}
	for line := range strings.Lines(findings) {
		if level, _, _ := strings.Cut(line, " "); level != cli.LevelOK && level != cli.LevelWarn &&
			level != cli.LevelFail {
			t.Errorf("not a finding: %s", line)
		}
	}
	if code := gatetest.Run(t.Context(), Command(), gatetest.Process(environ, &document, &errors), "--json"); code !=
		1 {
		t.Errorf("--json: %d", code)
	}
	var report doctorReport
	if err := json.Unmarshal(document.Bytes(), &report); err != nil || report.OK ||
		report.Settings != "the environment" ||
		len(report.Findings) != strings.Count(findings, "\n") {
		t.Errorf("%v %d findings of\n%s", err, len(report.Findings), text.String())
	}
	for _, args := range [][]string{{"--cert", "x"}, {"extra"}, {"--frobnicate"}} {
		if code := gatetest.Run(t.Context(), Command(), gatetest.Process(environ, &text, &errors), args...); code != 2 {
			t.Errorf("%v: %d, want 2", args, code)
		}
	}
}

func TestDoctorOfFiles(t *testing.T) {
	d := patient(t)
	found := d.files()
	expect(t, found, cli.LevelOK, "for localhost, 127.0.0.1, ::1")
	expect(t, found, cli.LevelOK, "CN=metrics-gate demo")
	expect(t, found, cli.LevelOK, "until")
	expect(t, found, cli.LevelOK, "nobody else may write the 4 files")

	tokens := d.config.Allow.TokensFile
	if err := os.Chmod(tokens, 0o602); err != nil {
		t.Fatal(err)
	}
	expect(t, d.permissions(), cli.LevelFail, "chmod o-w "+tokens)
	if err := os.Chmod(tokens, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(tokens), 0o777); err != nil {
		t.Fatal(err)
	}
	expect(t, d.permissions(), cli.LevelFail, "chmod o-w "+filepath.Dir(tokens))

	d.config.TLS.ClientCAFile = filepath.Join(filepath.Dir(tokens), "client.pem")
	expect(t, d.clientCA(), cli.LevelFail, "is not a CA")
	d.now = func() time.Time { return time.Now().Add(20 * 24 * time.Hour) }
	expect(t, d.files(), cli.LevelWarn, "expires on")
	d.now = func() time.Time { return time.Now().Add(40 * 24 * time.Hour) }
	expect(t, d.files(), cli.LevelFail, "expired on")
}

// The settings of a running gate do not decide how long a command waits, and how much it reads.
func TestDoctorIsBounded(t *testing.T) {
	d := patient(t)
	d.config.Upstream.Timeout, d.config.Upstream.MaxBytes = 100*time.Hour, math.MaxInt64
	d.bound()
	if u := d.config.Upstream; u.Timeout != time.Minute || u.MaxBytes != 256<<20 {
		t.Errorf("%s, %d bytes", u.Timeout, u.MaxBytes)
	}
}
