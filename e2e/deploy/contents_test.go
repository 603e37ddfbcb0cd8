package deploy

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// debFiles and rpmFiles list what the packages install.
func debFiles(t *testing.T) []string {
	t.Helper()
	var list []string
	deb := filepath.Join(release(t)[0], "metrics-gate_1.2.3-1_amd64.deb")
	for line := range strings.Lines(good(t, "dpkg-deb", "-c", deb)) {
		if f := strings.Fields(line); !strings.HasSuffix(f[5], "/") {
			list = append(list, strings.TrimPrefix(f[5], "."))
		}
	}
	return list
}

func rpmFiles(t *testing.T, query string) []string {
	t.Helper()
	rpm := filepath.Join(release(t)[0], "metrics-gate-1.2.3-1.x86_64.rpm")
	return strings.Fields(command(t, "rpm", query, rpm).stdout)
}

// TestPackageContents: both packages have the units, manual pages, completions, change log and
// licenses. Settings are marked as such.
func TestPackageContents(t *testing.T) {
	deb, rpm := debFiles(t), rpmFiles(t, "-qlp")
	want := []string{
		"/usr/bin/metrics-gate", "/usr/lib/sysusers.d/metrics-gate.conf", "/etc/metrics-gate/metrics-gate.env",
		"/usr/share/man/man1/metrics-gate.1.gz", "/usr/share/man/man8/metrics-gate.8.gz",
		"/usr/share/bash-completion/completions/metrics-gate", "/usr/share/fish/vendor_completions.d/metrics-gate.fish",
		"/usr/share/doc/metrics-gate/changelog.gz", "/usr/share/doc/metrics-gate/third-party-licenses.gz",
		"/usr/share/metrics-gate/metrics-gate.nft", "/usr/share/metrics-gate/gitlab-runner.conf",
		"/usr/share/metrics-gate/restart-gates", "/usr/share/metrics-gate/disable-gates",
	}
	for _, pattern := range []string{"deploy/systemd/*.service", "deploy/systemd/*.socket", "deploy/systemd/*.timer"} {
		for _, unit := range glob(t, pattern) {
			want = append(want, "/usr/lib/systemd/system/"+filepath.Base(unit))
		}
	}
	for kind, list := range map[string][]string{
		"deb": slices.Concat(want, []string{
			"/usr/share/zsh/vendor-completions/_metrics-gate", "/usr/share/doc/metrics-gate/copyright",
			"/usr/share/doc/metrics-gate/changelog.Debian.gz", "/usr/share/lintian/overrides/metrics-gate",
		}),
		"rpm": slices.Concat(want, []string{
			"/usr/share/zsh/site-functions/_metrics-gate", "/usr/share/licenses/metrics-gate/LICENSE",
			"/etc/metrics-gate", "/usr/share/metrics-gate", "/usr/share/doc/metrics-gate",
			"/usr/share/licenses/metrics-gate",
		}),
	} {
		got := slices.Sorted(slices.Values(map[string][]string{"deb": deb, "rpm": rpm}[kind]))
		if list = slices.Sorted(slices.Values(list)); !slices.Equal(got, list) {
			t.Errorf("the %s has\n%s\nnot\n%s", kind, strings.Join(got, "\n"), strings.Join(list, "\n"))
		}
	}
	if got := rpmFiles(t, "-qcp"); !slices.Equal(got, []string{"/etc/metrics-gate/metrics-gate.env"}) {
		t.Errorf("settings of the rpm: %q", got)
	}
}

// TestPackageLint: lintian and rpmlint find no error but those that a file of overrides explains.
func TestPackageLint(t *testing.T) {
	deb := filepath.Join(release(t)[0], "metrics-gate_1.2.3-1_amd64.deb")
	rpm := filepath.Join(release(t)[0], "metrics-gate-1.2.3-1.x86_64.rpm")
	tool(t, "rpmlint")
	for _, cmd := range []*exec.Cmd{
		exec.Command(tool(t, "lintian"), "--fail-on", "error", deb),
		exec.Command(tool(t, "unshare"), "--mount", "sh", "testdata/rpmlint.sh",
			source("deploy/packages/rpmlintrc"), rpm),
	} {
		if r := finish(t, cmd); r.code != 0 {
			t.Errorf("%s: exit %d\n%s%s", cmd, r.code, r.stdout, r.stderr)
		}
	}
	for _, name := range []string{"lintian-overrides", "rpmlintrc"} {
		explained := regexp.MustCompile(`\A(# .+\n[^#\n]+\n)+\z`)
		if text := read(t, source("deploy/packages", name)); !explained.MatchString(text) {
			t.Errorf("%s: an override has no reason above it", name)
		}
	}
}

// TestLintFinds: lintian does judge. A package without overrides has errors.
func TestLintFinds(t *testing.T) {
	deb := filepath.Join(release(t)[0], "metrics-gate_1.2.3-1_amd64.deb")
	r := command(t, "lintian", "--no-override", "--fail-on", "error", deb)
	if r.code == 0 || !strings.Contains(r.stdout, "statically-linked-binary") {
		t.Errorf("exit %d: %s", r.code, r.stdout)
	}
}
