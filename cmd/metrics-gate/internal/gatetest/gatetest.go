// Package gatetest runs a whole gate inside a test, before a runner of the test's.
package gatetest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/server"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

// TextFormat is the Content-Type of the text format.
const TextFormat = "text/plain; version=0.0.4; charset=utf-8"

// Gate is a gate that runs in this process, before a runner of the test's.
type Gate struct {
	Dir     string
	Config  *config.Config
	Server  *server.Server
	Signals chan os.Signal
	result  chan error
	Log     *testwait.Buffer
	Runner  *httptest.Server
	Hits    atomic.Int64
}

// Start runs a gate with the demo's files; environ adds to its configuration. A variable in
// environ replaces the demo's, and a name without a value removes it.
func Start(t testing.TB, runner http.Handler, environ ...string) *Gate {
	t.Helper()
	f := &Gate{Dir: t.TempDir(), Signals: make(chan os.Signal, 4), result: make(chan error, 1),
		Log: new(testwait.Buffer)}
	if err := demofiles.Write(f.Dir); err != nil {
		t.Fatal(err)
	}
	f.Runner = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.Hits.Add(1)
		runner.ServeHTTP(w, r)
	}))
	t.Cleanup(f.Runner.Close)
	all := append(demofiles.Environ(f.Dir, f.Runner.Listener.Addr().String()),
		config.Prefix+"LISTEN_ADDRESS=127.0.0.1:0", config.Prefix+"ADMIN_ADDRESS=127.0.0.1:0",
		config.Prefix+"LOG_LEVEL=debug")
	for _, entry := range environ {
		name, _, valued := strings.Cut(entry, "=")
		all = slices.DeleteFunc(all, func(old string) bool { return strings.HasPrefix(old, name+"=") })
		if valued {
			all = append(all, entry)
		}
	}
	c, err := config.Load(all)
	if err != nil {
		t.Fatal(err)
	}
	f.Config = c
	if f.Server, err = server.New(c, server.NewLogger(f.Log, c.Process), cli.Build{Version: "test"}); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		f.result <- f.Server.Run(t.Context(), f.Signals)
	}()
	t.Cleanup(func() {
		for range 2 { // the second cuts what is in flight
			select {
			case f.Signals <- syscall.SIGTERM:
			case <-stopped:
			}
		}
		<-stopped
		if t.Failed() {
			t.Logf("log:\n%s", f.Log.String())
		}
	})
	return f
}

// Client shows the demo's certificate, or none.
func (f *Gate) Client(t *testing.T, certificate bool) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(f.Dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{RootCAs: Pool(pem)}
	if certificate {
		pair, err := tls.LoadX509KeyPair(filepath.Join(f.Dir, "client.pem"), filepath.Join(f.Dir, "client-key.pem"))
		if err != nil {
			t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	transport := &http.Transport{TLSClientConfig: config}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (f *Gate) Token(t *testing.T) string {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(f.Dir, "token"))
	if err != nil {
		t.Fatal(err)
	}
	return string(token)
}

// Ask sends a request and returns the answer with its body.
func (f *Gate) Ask(t *testing.T, c *http.Client, method, target string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, "https://"+f.Server.Addr().String()+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func Exposes(body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", TextFormat)
		_, _ = io.WriteString(w, body)
	})
}

// Process is the outside world of a command in a test.
func Process(environ []string, stdout, stderr io.Writer) *cli.Process {
	return &cli.Process{Environ: environ, Stdout: stdout, Stderr: stderr}
}

// Run carries c out and returns its exit status.
func Run(ctx context.Context, c cli.Command, p *cli.Process, args ...string) int {
	return p.Report(p.Run(ctx, c, args))
}

func Pool(pem []byte) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return pool
}

// Wait returns what run returned.
func (f *Gate) Wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-f.result:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("the gate still runs")
		return nil
	}
}

// WaitFor waits until the gate has logged text after the first before bytes, and returns
// what it logged there.
func (f *Gate) WaitFor(t testing.TB, before int, text string) string {
	t.Helper()
	testwait.Eventually(
		t,
		"log line with "+text,
		func() bool { return strings.Contains(f.Log.String()[before:], text) },
	)
	return f.Log.String()[before:]
}

// FullDisk is an io.Writer that takes nothing, with the error ENOSPC.
type FullDisk struct{}

// Write implements io.Writer.
func (FullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }
