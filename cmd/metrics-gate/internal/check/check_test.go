package check

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/settings"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// checked runs check with the demo's files and returns its code and outputs.
func checked(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	if err := demofiles.Write(dir); err != nil {
		t.Fatal(err)
	}
	var out, errors bytes.Buffer
	code = gatetest.Run(t.Context(), Command(),
		gatetest.Process(append(demofiles.Environ(dir, "127.0.0.1:9252"), environ...), &out, &errors), args...)
	return code, out.String(), errors.String()
}

func TestCheckJSON(t *testing.T) {
	code, stdout, stderr := checked(t, []string{config.Prefix + "RUNNER_NAME=<build>\x1b[31m"}, "--json", "--as",
		"token:prometheus", "--path", "/debug/pprof/heap")
	var r checkReport
	if err := json.Unmarshal([]byte(stdout), &r); code != 1 || err != nil || stderr != "" {
		t.Fatalf("%d %v %s\n%s", code, err, stderr, stdout)
	}
	if !r.OK || !slices.Equal(r.Authentication, []string{"certificate", "token"}) || len(r.Warnings) > 0 {
		t.Errorf("%+v", r)
	}
	want := []config.RouteRights{
		{Routes: "/metrics /gate/metrics", Variable: config.Prefix + "METRICS_ALLOW",
			Allow: []string{"dns:prometheus.demo", "token:prometheus"}},
		{Routes: "/debug/pprof/", Variable: config.Prefix + "PPROF_ALLOW", Allow: []string{"dns:prometheus.demo"}},
	}
	for i, rights := range r.Authorization {
		if rights.Routes != want[i].Routes || rights.Variable != want[i].Variable ||
			!slices.Equal(rights.Allow, want[i].Allow) {
			t.Errorf("%+v, want %+v", rights, want[i])
		}
	}
	if d := r.Decision; d == nil || d.Status != 403 || d.List != config.Prefix+"PPROF_ALLOW" || d.Rule != "" {
		t.Errorf("decision %+v", d)
	}
	i := slices.IndexFunc(
		r.Configuration,
		func(s config.Setting) bool { return s.Name == config.Prefix+"RUNNER_NAME" },
	)
	if i < 0 || r.Configuration[i].Value != "<build>\x1b[31m" || r.Configuration[i].Default {
		t.Errorf("RUNNER_NAME %+v", r.Configuration)
	}
	for _, s := range r.Configuration {
		if s.Default != !slices.Contains([]string{"UPSTREAM_URL", "RUNNER_NAME", "TLS_CERT_FILE", "TLS_KEY_FILE",
			"TLS_CLIENT_CA_FILE",
			"TOKENS_FILE", "METRICS_ALLOW", "PPROF_ALLOW", "LOG_FORMAT"}, strings.TrimPrefix(s.Name, config.Prefix)) {
			t.Errorf("%+v: is it the default?", s)
		}
	}
	if _, text, _ := checked(t, []string{config.Prefix + "RUNNER_NAME=<build>\x1b[31m"}); strings.Contains(text,
		"\x1b") {
		t.Error("a control sequence reached the terminal")
	}
}

func TestCheckExitCodes(t *testing.T) {
	for _, test := range []struct {
		name    string
		environ []string
		args    []string
		code    int
	}{
		{"good", nil, nil, 0},
		{"bad configuration", []string{config.Prefix + "RATE_LIMIT=0"}, nil, 1},
		{"bad configuration, JSON", []string{config.Prefix + "RATE_LIMIT=0"}, []string{"--json"}, 1},
		{"bad file", []string{config.Prefix + "TOKENS_FILE=/nowhere"}, nil, 1},
		{"denied", nil, []string{"--as", "dns:nobody.example"}, 1},
		{"denied, JSON", nil, []string{"--json", "--as", "dns:nobody.example"}, 1},
		{"nobody has the name", nil, []string{"--as", "token:nobody"}, 1},
		{"bad flag", nil, []string{"--frobnicate"}, 2},
		{"bad question", nil, []string{"--as", "*"}, 2},
		{"relative path", nil, []string{"--as", "dns:a.example", "--path", "metrics"}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			if code, stdout, stderr := checked(t, test.environ, test.args...); code != test.code {
				t.Errorf("%d, want %d\n%s%s", code, test.code, stdout, stderr)
			}
		})
	}
}

// A reload refuses a certificate that is not valid now, so check does too: the exit code, ok and
// errors of the JSON agree.
func TestCheckOfACertificateThatIsNotValidNow(t *testing.T) {
	dir := t.TempDir()
	ca := testca.Must(testca.NewCA(testca.Options{CommonName: "ca"}))
	now := time.Now()
	for name, options := range map[string]testca.Options{
		"expired": {DNSNames: []string{"gate.example"}, NotBefore: now.Add(-48 * time.Hour),
			NotAfter: now.Add(-time.Hour)},
		"not yet": {DNSNames: []string{"gate.example"}, NotBefore: now.Add(time.Hour),
			NotAfter: now.Add(48 * time.Hour)},
	} {
		cert, key := filepath.Join(dir, name+".pem"), filepath.Join(dir, name+"-key.pem")
		if err := testca.Must(ca.Issue(options)).WriteFiles(cert, key); err != nil {
			t.Fatal(err)
		}
		files := []string{config.Prefix + "TLS_CERT_FILE=" + cert, config.Prefix + "TLS_KEY_FILE=" + key}
		code, stdout, stderr := checked(t, files)
		if code != 1 || !strings.Contains(stderr, "not valid now") ||
			!strings.Contains(stderr, "a reload refuses it") {
			t.Errorf("%s: %d %s", name, code, stderr)
		}
		if said := strings.Contains(stdout, "warn  "); said != (name == "not yet") { // no expiry tells of it
			t.Errorf("%s: said twice: %v\n%s", name, said, stdout)
		}
		code, stdout, stderr = checked(t, files, "--json")
		var r checkReport
		if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != 1 || r.OK || len(r.Errors) != 1 ||
			r.Errors[0].Thing != config.Prefix+"TLS_CERT_FILE" || stderr != "" {
			t.Errorf("%s: %d %v %s\n%s", name, code, err, stderr, stdout)
		}
	}
}

// Without any setting the first line says how to name them.
func TestCheckWithoutSettings(t *testing.T) {
	_, err := inspect(t.Context(), &settings.Settings{Environ: []string{"PATH=/bin"}}, "", question{})
	if list := cli.ErrorReports(err); len(list) < 2 || !strings.Contains(list[0].Advice, "--env-file gate.env") {
		t.Errorf("%+v", list)
	}
}

// There is no pattern to remove where only a question names the caller.
func TestCheckAsANameThatNobodyHas(t *testing.T) {
	if _, stdout, _ := checked(t, nil, "--as", "token:nobody"); strings.Contains(stdout, "remove the pattern") ||
		!strings.Contains(stdout, "add the line that metrics-gate token nobody prints") {
		t.Error(stdout)
	}
	if _, stdout, _ := checked(t, []string{config.Prefix + "METRICS_ALLOW=token:nobody"}); !strings.Contains(stdout,
		"or remove the pattern") {
		t.Error(stdout)
	}
}
