package windows_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

func (w *wine) testDemo(t *testing.T) {
	demo := w.command(t.Context(), w.exe, "demo")
	address := harness.FreeAddress(t)
	demo.Env = append(demo.Env, "METRICS_GATE_LISTEN_ADDRESS="+address, "METRICS_GATE_ADMIN_ADDRESS=off")
	var log testwait.Buffer
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
