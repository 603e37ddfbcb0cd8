// Package windows_test runs the program for Windows in Wine.
package windows_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// wine is an own Wine with the program and the tests of two packages on it.
type wine struct{ dir string }

func newWine(t *testing.T) wine {
	t.Helper()
	// Go ignores file modes on Windows, Wine makes access control lists of them: with this
	// mask only the owner may read what the program writes.
	old := syscall.Umask(0o077)
	t.Cleanup(func() { syscall.Umask(old) })
	w := wine{t.TempDir()}
	if out, err := w.command(t.Context(), "wineboot", "-i").CombinedOutput(); err != nil {
		t.Fatalf("wineboot: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		stop := exec.Command("wineserver", "-k", "-w")
		stop.Env = w.environ()
		_ = stop.Run()
	})
	library := filepath.Join(w.dir, "drive_c/windows/system32/bcryptprimitives.dll")
	if err := os.WriteFile(library, primitives(), 0o644); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w wine) environ() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "WINEPREFIX=" + w.dir, "WINEDEBUG=-all"}
}

func (w wine) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, "wine", args...)
	c.Env = w.environ()
	return c
}

// compile runs go with args for Windows in folder, and returns the program that -o named.
func compile(t *testing.T, folder string, args ...string) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "program.exe")
	build := exec.Command("go", append(args, "-o", exe, ".")...)
	build.Dir = filepath.Join(harness.Root(), folder)
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go %v: %v\n%s", args, err, out)
	}
	return exe
}

func TestPackagesInWine(t *testing.T) {
	w := newWine(t)
	for folder, tests := range map[string]string{
		"tlsconf/safefile":                     "TestAccessControlListsAreJudged|TestNullListIsRefused",
		"cmd/metrics-gate/internal/winservice": "TestControlLoop|TestEndsOfTheService|TestEach|TestEvents|TestParse",
	} {
		exe := compile(t, folder, "test", "-c")
		out, err := w.command(t.Context(), exe, "-test.v", "-test.run", tests).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: ") {
			t.Errorf("%s: %v\n%s", folder, err, out)
		}
	}
}

func TestDemoInWine(t *testing.T) {
	w := newWine(t)
	demo := w.command(t.Context(), compile(t, "cmd/metrics-gate", "build"), "demo")
	address := harness.FreeAddress(t)
	demo.Env = append(demo.Env, "METRICS_GATE_LISTEN_ADDRESS="+address, "METRICS_GATE_ADMIN_ADDRESS=off")
	var log harness.Buffer
	demo.Stdout, demo.Stderr = &log, &log
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = demo.Process.Kill(), demo.Wait() })
	harness.Eventually(t, "the demo starts", func() bool { return strings.Contains(log.String(), "msg=started") })
	found, err := filepath.Glob(filepath.Join(w.dir, "drive_c/users/*/Temp/metrics-gate-demo-*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("folders of the demo: %q, %v\n%s", found, err, log.String())
	}
	read := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join(found[0], name))
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	pair, err := tls.X509KeyPair(read("client.pem"), read("client-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(read("ca.pem"))
	token := strings.TrimSpace(string(read("token")))
	for name, test := range map[string]struct {
		pairs []tls.Certificate
		token string
		want  int
	}{
		"a certificate": {[]tls.Certificate{pair}, "", http.StatusOK},
		"a token":       {nil, token, http.StatusOK},
		"no credential": {nil, "", http.StatusUnauthorized},
	} {
		client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: test.pairs, ServerName: "localhost"},
		}}
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+"/metrics", nil)
		if test.token != "" {
			request.Header.Set("Authorization", "Bearer "+test.token)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		labelled := strings.Contains(string(body), `runner_name="`)
		if err != nil || response.StatusCode != test.want || labelled != (test.want == http.StatusOK) {
			t.Errorf("%s: %s, labelled %t, %v", name, response.Status, labelled, err)
		}
	}
}
