package docs

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// sandbox is the environment of a document's commands: a directory, a runner,
// certificates and a token at the documented paths, and metrics-gate in the PATH. The
// documented paths and ports are replaced by the sandbox's own.
type sandbox struct {
	dir     string
	replace *strings.Replacer
	environ []string
}

func newSandbox(t *testing.T) *sandbox {
	t.Helper()
	runner := harness.StartRunner(t, withProfiles(harness.Replay(t)))
	dir := t.TempDir()
	s := &sandbox{dir: dir}
	_, port, _ := net.SplitHostPort(harness.FreeAddress(t))
	_, admin, _ := net.SplitHostPort(harness.FreeAddress(t))
	_, upstream, _ := net.SplitHostPort(runner.Address)
	_, spare, _ := net.SplitHostPort(harness.FreeAddress(t))
	pairs := []string{
		"/usr/share/metrics-gate", filepath.Join(harness.Root(), "deploy", "systemd"), "/etc/systemd",
		filepath.Join(dir, "systemd"),
		"/etc/metrics-gate", filepath.Join(dir, "gate"), "/etc/prometheus/metrics-gate", filepath.Join(dir, "scraper"),
		"/tmp/metrics-gate-demo-", filepath.Join(dir, "metrics-gate-demo-"), "port 9252", "port " + upstream, ":9252",
		":" + upstream, ":9253", ":" + port, ":9254", ":" + admin, ":8443", ":" + spare,
	}
	s.replace = strings.NewReplacer(pairs...)
	s.files(t)
	s.environ = []string{
		"PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "SANDBOX=" + dir,
		"ROOT=" + harness.Root(), "SANDBOX_PORT=" + port, "SANDBOX_ADMIN=" + admin, "SANDBOX_RUNNER=" + upstream,
		"REAL_GATE=" + harness.Binary(t),
	}
	t.Cleanup(func() {
		if pid, err := os.ReadFile(filepath.Join(dir, "pid")); err == nil {
			_ = exec.Command("kill", strings.TrimSpace(string(pid))).Run()
		}
	})
	return s
}

// files creates the files of the sandbox.
func (s *sandbox) files(t *testing.T) {
	t.Helper()
	for _, folder := range []string{"bin", "gate", "scraper", "work"} {
		if err := os.MkdirAll(filepath.Join(s.dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	ca := testca.Must(testca.NewCA(testca.Options{CommonName: "documents"}))
	month := time.Now().Add(30 * 24 * time.Hour)
	write := func(name string, content []byte, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(s.dir, name), content, mode); err != nil {
			t.Fatal(err)
		}
	}
	issue := func(folder string, o testca.Options) {
		t.Helper()
		pair := testca.Must(ca.Issue(o))
		if err := pair.WriteFiles(filepath.Join(s.dir, folder, "tls.crt"),
			filepath.Join(s.dir, folder, "tls.key")); err != nil {
			t.Fatal(err)
		}
	}
	issue("gate", testca.Options{DNSNames: []string{"localhost"}, IPs: []string{"127.0.0.1"}, NotAfter: month})
	issue("scraper",
		testca.Options{CommonName: "prometheus", DNSNames: []string{"prometheus.example.com"}, NotAfter: month})
	for _, name := range []string{"scraper/ca.crt", "gate/client-ca.crt", "gate/api-ca.crt"} {
		write(name, ca.CertPEM(), 0o600)
	}
	write("gate/client-ca.crl", testca.CRLPEM(testca.Must(ca.CRL(testca.CRLOptions{NextUpdate: month}))), 0o600)
	write("gate/api-token", []byte("api-token"), 0o600)
	secret, line, err := auth.NewToken("prometheus")
	if err != nil {
		t.Fatal(err)
	}
	write("scraper/token", []byte(secret), 0o600)
	write("gate/tokens", []byte(line+"\n"), 0o600)
	for name, script := range standIns() {
		write("bin/"+name, []byte("#!/bin/bash\n"+script), 0o700)
	}
	// The reader of a document has these files.
	for _, name := range []string{"server.pem", "server-key.pem", "clients.pem", "your-values.yaml"} {
		write("work/"+name, []byte("# "+name+"\n"), 0o600)
	}
	for _, name := range []string{"deploy", "Dockerfile"} {
		if err := os.Symlink(filepath.Join(harness.Root(), name), filepath.Join(s.dir, "work", name)); err != nil {
			t.Fatal(err)
		}
	}
}

// run runs one block.
func (s *sandbox) run(t *testing.T, b block) {
	t.Helper()
	if b.kind != "console" {
		if out, err := s.shell(b.text, "-e"); err != nil {
			t.Errorf("line %d: %v\n%s\nprinted\n%s", b.line, err, b.text, out)
		}
		return
	}
	for _, step := range strings.Split("\n"+b.text, "\n$ ")[1:] {
		command, want, _ := strings.Cut(step, "\n")
		out, err := s.shell(command, "-o", "pipefail")
		if want = s.replace.Replace(want); err != nil || !like(out, want) {
			t.Errorf("line %d: $ %s: %v\nprinted\n%s\nwant\n%s", b.line, command, err, out, want)
		}
	}
}

// shell runs a script and returns its output.
func (s *sandbox) shell(script string, options ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", append(options, "-c", s.replace.Replace(script))...)
	cmd.Dir, cmd.Env = filepath.Join(s.dir, "work"), s.environ
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}
