package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unitRoot is a root folder with the system's own units, ours, and what they start.
func unitRoot(t *testing.T) (root, units string) {
	t.Helper()
	root = t.TempDir()
	units = filepath.Join(root, "usr", "lib", "systemd", "system")
	if err := os.CopyFS(units, os.DirFS("/usr/lib/systemd/system")); err != nil {
		t.Fatal(err)
	}
	for _, path := range slices.Concat(glob(t, "deploy/systemd/*.service"),
		glob(t, "deploy/systemd/*.socket"), glob(t, "deploy/systemd/*.timer")) {
		write(t, filepath.Join(units, filepath.Base(path)), read(t, path), 0o644)
	}
	for _, program := range []string{"usr/bin/metrics-gate", "usr/sbin/nft", "bin/kill", "bin/sh"} {
		write(t, filepath.Join(root, program), "#!/bin/sh\n", 0o755)
	}
	return root, units
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// TestUnitsVerify: systemd 252 knows every key. It exits 0 on unknown ones, so silence counts.
func TestUnitsVerify(t *testing.T) {
	root, units := unitRoot(t)
	write(t, filepath.Join(units, "gitlab-runner.service"), "[Service]\nExecStart=/usr/bin/metrics-gate\n", 0o644)
	write(
		t,
		filepath.Join(units, "gitlab-runner.service.d", "metrics-gate.conf"),
		read(t, source("deploy/systemd/gitlab-runner.conf")),
		0o644,
	)
	names := []string{
		"metrics-gate.service", "metrics-gate.socket", "metrics-gate@9263.service", "metrics-gate@9263.socket",
		"metrics-gate-firewall.service", "metrics-gate-firewall.timer", "metrics-gate-firewall-restore.service",
		"gitlab-runner.service",
	}
	args := append([]string{"verify", "--man=no", "--root=" + root}, names...)
	if out := good(t, "systemd-analyze", args...); out != "" {
		t.Errorf("verify says %q", out)
	}
	bad := strings.Replace(read(t, source("deploy/systemd/metrics-gate.service")), "WatchdogSec=", "WatchdogSecs=", 1)
	write(t, filepath.Join(units, "metrics-gate.service"), bad, 0o644)
	if r := command(t, "systemd-analyze", args...); !strings.Contains(r.stderr, "WatchdogSecs") {
		t.Errorf("an unknown key is not found: %q", r.stderr)
	}
}

// TestUnitsSecurity: exposure of at most 1.5 of 10.
func TestUnitsSecurity(t *testing.T) {
	for _, path := range glob(t, "deploy/systemd/*.service") {
		r := command(t, "systemd-analyze", "security", "--offline=yes", "--threshold=15", path)
		if r.code != 0 {
			t.Errorf("%s: %s%s", path, r.stdout, r.stderr)
		}
	}
}

// TestTemplateAgrees: the template differs from the service in what its instance is named for, and in nothing else.
func TestTemplateAgrees(t *testing.T) {
	service := directives(t, "metrics-gate.service")
	template := directives(t, "metrics-gate@.service")
	allowed := regexp.MustCompile(
		`%i|^Description=|^(Requires|After|Also)=metrics-gate\.socket$|` +
			`^EnvironmentFile=|^Environment=METRICS_GATE_ADMIN_ADDRESS=off$`,
	)
	for _, pair := range [][2][]string{{service, template}, {template, service}} {
		for _, line := range pair[0] {
			if !slices.Contains(pair[1], line) && !allowed.MatchString(line) {
				t.Errorf("%q stands in one of the two only", line)
			}
		}
	}
}

// directives are the lines of a unit that mean something.
func directives(t *testing.T, unit string) []string {
	t.Helper()
	return meaning(read(t, source("deploy", "systemd", unit)))
}

func meaning(unit string) []string {
	var list []string
	for line := range strings.Lines(unit) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' && line[0] != '[' {
			list = append(list, line)
		}
	}
	return list
}

// TestUnitEnvironment: the binary takes what the units set, and the units let nobody in.
func TestUnitEnvironment(t *testing.T) {
	for _, unit := range []string{"metrics-gate.service", "metrics-gate@.service"} {
		environ := map[string]string{}
		for _, line := range directives(t, unit) {
			if m := assignment.FindStringSubmatch(strings.TrimPrefix(line, "Environment=")); m != nil {
				environ[m[1]] = m[2]
			}
		}
		r := runCheck(t, environ)
		if want := "METRICS_GATE_METRICS_ALLOW: not set: nobody may read /metrics"; r.code == 0 ||
			!strings.Contains(r.stderr, want) {
			t.Errorf("%s: check exits %d without %q: %s", unit, r.code, want, r.stderr)
		}
		environ["METRICS_GATE_METRICS_ALLOW"] = "dns:prometheus.example.com"
		environ["METRICS_GATE_TLS_CLIENT_CA_FILE"] = "client-ca.crt"
		checkEnviron(t, environ)
	}
}

// TestUnitLifecycle: what the gate does by sd_notify, the unit asks for.
func TestUnitLifecycle(t *testing.T) {
	lines := directives(t, "metrics-gate.service")
	for _, want := range []string{
		"Type=notify", "WatchdogSec=30s", "ExecReload=/usr/bin/metrics-gate check",
		"ExecReload=/bin/kill -HUP $MAINPID",
		"LimitCORE=0",
		"Requires=metrics-gate.socket", "User=metrics-gate", "IPAddressDeny=any", "SystemCallErrorNumber=EPERM",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("%q is missing", want)
		}
	}
	for _, line := range lines {
		if strings.HasPrefix(line, "BindsTo=") || strings.HasPrefix(line, "PartOf=") {
			t.Errorf("%q: the runner's package removes its unit on upgrade", line)
		}
	}
}

// sysusers makes the users of the package in a folder and returns it; the gate's id is in its etc/passwd.
func sysusers(t *testing.T) (passwd string, uid uint32) {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	r := command(t, "systemd-sysusers", "--root="+root, source("deploy/systemd/metrics-gate.sysusers"))
	if r.code != 0 {
		t.Fatalf("systemd-sysusers: %s", r.stderr)
	}
	passwd = filepath.Join(root, "etc", "passwd")
	m := regexp.MustCompile(`(?m)^metrics-gate:x:(\d+):\d+:[^:]*:/:/usr/sbin/nologin$`).
		FindStringSubmatch(read(t, passwd))
	if m == nil {
		t.Fatalf("no user metrics-gate in\n%s", read(t, passwd))
	}
	for _, digit := range m[1] {
		uid = uid*10 + uint32(digit-'0')
	}
	return passwd, uid
}

// TestManPage: man finds nothing to complain of.
func TestManPage(t *testing.T) {
	good(t, "man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", source("deploy/packages/metrics-gate.8"))
}
