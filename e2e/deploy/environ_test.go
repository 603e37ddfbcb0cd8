package deploy

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// checkEnviron has the binary judge an environment: every variable is one it knows, every value one it takes.
// Files that variables name are made for it.
func checkEnviron(t *testing.T, environ map[string]string) {
	t.Helper()
	r := runCheck(t, environ)
	if r.code != 0 {
		t.Errorf("metrics-gate check: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

func runCheck(t *testing.T, environ map[string]string) result {
	t.Helper()
	pki := harness.NewPKI(t)
	made := map[string]string{
		"TLS_CERT_FILE": pki.File("server.pem"), "TLS_KEY_FILE": pki.File("server-key.pem"),
		"TLS_CLIENT_CA_FILE": pki.File("ca.pem"), "OIDC_CA_FILE": pki.File("ca.pem"),
	}
	cmd := exec.CommandContext(t.Context(), harness.Binary(t), "check")
	for name, value := range environ {
		short := strings.TrimPrefix(name, harness.Prefix)
		if strings.HasSuffix(name, "_FILE") {
			value = made[short]
			if value == "" {
				value = filepath.Join(pki.Dir, short)
				content := "name sha256:" + strings.Repeat("0a", 32) + "\n"
				if strings.HasSuffix(short, "_TOKEN_FILE") {
					content = "token\n"
				}
				pki.Write(t, short, []byte(content))
			}
		}
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return finish(t, cmd)
}

var assignment = regexp.MustCompile(`^#?(METRICS_GATE_[A-Z0-9_]+)=(.*)$`)

// TestSampleEnvironment: the EnvironmentFile sample is good as it is, and each line in it
// is good when its # is taken away.
func TestSampleEnvironment(t *testing.T) {
	base := map[string]string{
		"METRICS_GATE_TLS_CERT_FILE": "tls.crt", "METRICS_GATE_TLS_KEY_FILE": "tls.key",
		"METRICS_GATE_TLS_CLIENT_CA_FILE": "ca.crt",
	}
	file, err := os.Open(source("deploy", "systemd", "metrics-gate.env"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	lines := 0
	for s := bufio.NewScanner(file); s.Scan(); {
		m := assignment.FindStringSubmatch(s.Text())
		if m == nil {
			continue
		}
		lines++
		base[m[1]] = m[2]
		checkEnviron(t, base)
	}
	if lines < 5 {
		t.Errorf("%d assignments found", lines)
	}
}

// TestCheckRefuses: the judge does judge.
func TestCheckRefuses(t *testing.T) {
	r := runCheck(t, map[string]string{"METRICS_GATE_METRICS_ALOW": "token:x"})
	if r.code == 0 || !strings.Contains(r.stdout+r.stderr, "METRICS_GATE_METRICS_ALOW") {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

var (
	mentioned = regexp.MustCompile(`METRICS_GATE_[A-Z][A-Z0-9_]*`)
	listed    = regexp.MustCompile(`(?m)^  ([A-Z][A-Z0-9_]+) +`) // a line of help; the prefix stands above the table
)

// TestMentionedVariables: every variable that a file of deploy/ or its documents names is
// one that `metrics-gate help` lists.
func TestMentionedVariables(t *testing.T) {
	help := good(t, harness.Binary(t), "help")
	files := []string{
		source("Dockerfile"),
		source("docs", "kubernetes.md"),
		source("docs", "kubernetes-prometheus.md"),
		source("docs", "systemd.md"),
		source("docs", "packages.md"),
	}
	err := filepath.WalkDir(source("deploy"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, m := range listed.FindAllStringSubmatch(help, -1) {
		known[harness.Prefix+m[1]] = true
	}
	for _, path := range files {
		for _, name := range mentioned.FindAllString(read(t, path), -1) {
			if !known[name] {
				t.Errorf("%s: %s is not listed by help", path, name)
			}
		}
	}
}
