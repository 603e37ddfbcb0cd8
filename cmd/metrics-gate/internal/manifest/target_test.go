package manifest

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/configtest"
)

// The command checks the targets of the kinds that have some, and says where settings come from.
func TestPrintCommand(t *testing.T) {
	dir := t.TempDir()
	good, empty := filepath.Join(dir, "good"), filepath.Join(dir, "empty")
	lines := "METRICS_GATE_TLS_CERT_FILE=/none\nMETRICS_GATE_TLS_KEY_FILE=/none\nMETRICS_GATE_TOKENS_FILE=/none\n" +
		"METRICS_GATE_METRICS_ALLOW=token:prometheus\nMETRICS_GATE_LISTEN_ADDRESS=127.0.0.1:9253\n"
	for path, text := range map[string]string{good: lines, empty: "# nothing\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ args, want string }{
		{"scrape-config --env-file " + good, `targets: ["127.0.0.1:9253"]`},
		{"scrape-config --target runner.example --env-file " + good,
			"# Warning: METRICS_GATE_LISTEN_ADDRESS 127.0.0.1"},
		{"scrapeconfig --target https://runner.example:9253 --env-file " + good, "a URL"},
		{"kubernetes_sd --target https://runner.example:9253 --env-file " + good, "job_name"},
		{"scrape-config --target a.example --target b.example:1 --env-file " + good,
			"targets: [a.example:9253, b.example:1]"},
		{"scrape-config --target a.example:9252 --env-file " + good, "--target a.example:9252: the runner's port"},
		{"scrape-config --cert a.crt --env-file " + good, "# Warning: --cert: not used"},
		{"scrape-config --token-file a --env-file " + good, `file: "a" # read again`},
		{"alerts --target a.example --env-file " + good, "# Warning: --target: not used"},
		{"podmonitor --runner-namespace a --runner-namespace b --env-file " + good, `["a", "b"]`},
		{"systemd --env-file " + empty, "name the file with the gate's settings"},
	} {
		var out bytes.Buffer
		p := &cli.Process{Stdout: &out, Stderr: &out}
		if err := p.Run(t.Context(), Command(), strings.Fields(test.args)); err != nil {
			p.Report(err)
		}
		if !strings.Contains(out.String(), test.want) {
			t.Errorf("%s: no %s in\n%s", test.args, test.want, out.String())
		}
	}
}

// A target is what Prometheus takes: host:port. What is near it is completed or named.
func TestTargets(t *testing.T) {
	c := configtest.Load(t, config.Prefix+"LISTEN_ADDRESS=:9443")
	for text, want := range map[string]string{
		"runner.example:9253": "runner.example:9253", "runner.example": "runner.example:9443",
		" runner.example:1": "runner.example:1", "192.0.2.1": "192.0.2.1:9443", "fd00::1": "[fd00::1]:9443",
		"[fd00::1]": "[fd00::1]:9443", "[fd00::1]:9": "[fd00::1]:9",
		"fe80::1%eth0": "[fe80::1%eth0]:9443", "[fe80::1%eth0]:9": "[fe80::1%eth0]:9",
		"build_1.example.": "build_1.example.:9443", "h": "h:9443",
	} {
		if got, err := target(text, c); err != nil || got != want {
			t.Errorf("%q: %q %v, want %q", text, got, err, want)
		}
	}
	for text, advice := range map[string]string{
		"https://runner.example:9253/metrics": "write runner.example:9253",
		"http://runner.example":               "write runner.example",
		"a b:9253":                            "runner-1.example:9443",
		":9253":                               "runner-1.example:9443",
		"host:9253/metrics":                   "write host:9253",
		"runner.example:":                     "write runner.example:9443",
		"runner.example:https":                "write runner.example:9443",
		"runner.example:99999":                "write runner.example:9443",
		"9253":                                "runner-1.example:9253",
		"a:1:2":                               "runner-1.example:9443",
		"user@host:9253":                      "runner-1.example:9443",
		"a\nb:9253":                           "runner-1.example:9443",
		"a\u0085b:9253":                       "runner-1.example:9443",
		"[fe80::1%a\n]:9253":                  "runner-1.example:9443",
		"a:9253\n- b":                         "write a:9443",
		"a;b":                                 "runner-1.example:9443",
	} {
		_, err := target(text, c)
		wrong, ok := errors.AsType[*cli.ConfigError](err)
		if !ok || wrong.Thing != "print --target" || !strings.Contains(wrong.Advice, advice) {
			t.Errorf("%q: %v %+v, want the advice %q", text, err, wrong, advice)
		}
	}
}

// No error about a target has a password or a token.
func TestTargetsHideSecrets(t *testing.T) {
	c := configtest.Load(t)
	for text, advice := range map[string]string{
		"https://user:pa55@h:9253/metrics":           "write h:9253",
		"https://user:pa55/pa55@h:9253/m":            "write h:9253",
		"https://h:9253?token=pa55":                  "write h:9253",
		"https://mg_pa55/metrics":                    "write mg_…",
		"user:pa55@h:9253":                           "runner-1.example",
		"pa55@h":                                     "runner-1.example",
		"https://h:9253/metrics?user=a@b&token=pa55": "write ",
	} {
		_, err := target(text, c)
		wrong, ok := errors.AsType[*cli.ConfigError](err)
		if !ok || strings.Contains(wrong.Error()+wrong.Advice, "pa55") || !strings.Contains(wrong.Advice, advice) {
			t.Errorf("%q: %v, %+v", text, err, wrong)
		}
	}
}

// A token in the place of a file's name is printed in no kind, and in no error.
func TestPrintRefusesATokenAsAFile(t *testing.T) {
	const token = "mg_0123456789012345678901234567890123456789abc"
	c := configtest.Load(t)
	for _, path := range []string{token, "/srv/gate/" + token, "mg_short"} {
		o := options{}
		c.Allow.TokensFile = path
		if err := o.checkSecrets(c); err == nil || strings.Contains(err.Error(), path[3:]) ||
			!strings.Contains(err.Error(), "METRICS_GATE_TOKENS_FILE") {
			t.Errorf("%s: %v", path, err)
		}
		c.Allow.TokensFile, o.Files.TokenFile = "/etc/mg_tokens/tokens", path
		if err := o.checkSecrets(c); err == nil || !strings.Contains(err.Error(), "--token-file") {
			t.Errorf("--token-file %s: %v", path, err)
		}
		if err := (options{}).checkSecrets(c); err != nil {
			t.Error(err)
		}
	}
	file := filepath.Join(t.TempDir(), "gate.env")
	lines := "METRICS_GATE_TLS_CERT_FILE=/none\nMETRICS_GATE_TLS_KEY_FILE=/none\nMETRICS_GATE_TOKENS_FILE=" + token +
		"\nMETRICS_GATE_METRICS_ALLOW=token:prometheus\n"
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	for kind := range printers() {
		var out bytes.Buffer
		p := &cli.Process{Stdout: &out, Stderr: &out}
		if err := p.Run(t.Context(), Command(), []string{kind, "--env-file", file}); err == nil {
			t.Errorf("%s: %s", kind, out.String())
		}
	}
}

// Without --target it is where the gate listens. A gate on loopback is reached from its host alone.
func TestDefaultTarget(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		listen, targets string
		want            string
		warned          bool
	}{
		{":9253", "", name + ":9253", false}, {"0.0.0.0:9253", "", name + ":9253", false},
		{"192.0.2.1:9443", "", "192.0.2.1:9443", false}, {"127.0.0.1:9253", "", "127.0.0.1:9253", false},
		{"[::1]:9253", "localhost:9253", "localhost:9253", false},
		{":9253", "a.example,b.example", "b.example:9253", false},
		{"127.0.0.1:9253", "a.example", "a.example:9253", true},
		{"localhost:9253", "192.0.2.1", "192.0.2.1:9253", true},
	} {
		o := new(options)
		if test.targets != "" {
			if err := o.Targets.Set(test.targets); err != nil {
				t.Fatal(err)
			}
		}
		comment, err := o.checkTargets(configtest.Load(t, config.Prefix+"LISTEN_ADDRESS="+test.listen))
		if err != nil || o.Targets[len(o.Targets)-1] != test.want || (comment != "") != test.warned ||
			test.warned && !(strings.HasPrefix(comment, "# Warning: ") && strings.Contains(comment, test.want)) {
			t.Errorf("%+v: %v %q %v", test, o.Targets, comment, err)
		}
	}
}

// A unit says which paths are not whole: its directory is not that of the shell.
func TestUnitWarnsOfRelativePaths(t *testing.T) {
	c := configtest.Load(t)
	c.TLS, c.Allow.TokensFile = config.TLS{CertFile: "fleet/a.crt", KeyFile: "/etc/a.key"}, ""
	text := printKind(t, c, "systemd", "--binary=/usr/bin/metrics-gate")
	if strings.Count(text, "# Warning: ") != 1 ||
		!strings.HasPrefix(text, "# Warning: METRICS_GATE_TLS_CERT_FILE fleet/a.crt: ") {
		t.Errorf("%.300s", text)
	}
}

// A unit says which files its sandbox hides.
func TestUnitWarnsOfHiddenFiles(t *testing.T) {
	c := configtest.Load(t)
	hidden := map[string]string{"/home/me/tls.crt": "ProtectHome", "/root/tls.crt": "ProtectHome",
		"/run/user/0/tls.crt": "ProtectHome", "/tmp/../tmp/tls.crt": "PrivateTmp", "/etc/tls.crt": "", "/home.crt": ""}
	for path, setting := range hidden {
		c.TLS, c.Allow.TokensFile = config.TLS{CertFile: path, KeyFile: "/etc/tls.key"}, "/etc/tokens"
		text := printKind(t, c, "systemd", "--binary=/usr/bin/metrics-gate")
		if warned := strings.Count(text, "# Warning: "); warned > 1 || (warned == 1) != (setting != "") ||
			!strings.Contains(text, setting) {
			t.Errorf("%s:\n%.600s", path, text)
		}
		if setting != "" && !strings.HasPrefix(text, "# Warning: METRICS_GATE_TLS_CERT_FILE "+path+": ") {
			t.Errorf("%.300s", text)
		}
	}
	if text := printKind(t, c, "systemd", "--binary=/home/me/metrics-gate"); !strings.Contains(
		text,
		"# Warning: --binary",
	) {
		t.Errorf("%.300s", text)
	}
}
