package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/server"
)

const exposition004 = "text/plain; version=0.0.4; charset=utf-8"

// fixture is a gate that runs in this process, before a runner of the test's.
type fixture struct {
	dir     string
	config  *config.Config
	server  *server.Server
	signals chan os.Signal
	result  chan error
	log     *syncBuffer
	runner  *httptest.Server
	hits    atomic.Int64
}

// startFixture runs a gate with the demo's files; environ adds to its configuration.
func startFixture(t testing.TB, runner http.Handler, environ ...string) *fixture {
	t.Helper()
	f := &fixture{dir: t.TempDir(), signals: make(chan os.Signal, 4), result: make(chan error, 1), log: &syncBuffer{}}
	if err := demofiles.Write(f.dir); err != nil {
		t.Fatal(err)
	}
	f.runner = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.hits.Add(1)
		runner.ServeHTTP(w, r)
	}))
	t.Cleanup(f.runner.Close)
	all := append(demofiles.Environ(f.dir, f.runner.Listener.Addr().String()),
		config.Prefix+"LISTEN_ADDRESS=127.0.0.1:0", config.Prefix+"ADMIN_ADDRESS=127.0.0.1:0", config.Prefix+"LOG_LEVEL=debug")
	c, err := config.Load(append(all, environ...))
	if err != nil {
		t.Fatal(err)
	}
	f.config = c
	if f.server, err = server.New(c, server.NewLogger(f.log, c.Process), cli.Build{Version: "test"}); err != nil {
		t.Fatal(err)
	}
	go func() { f.result <- f.server.Run(t.Context(), f.signals) }()
	t.Cleanup(func() {
		select {
		case f.signals <- syscall.SIGTERM:
		default:
		}
		if t.Failed() {
			t.Logf("log:\n%s", f.log.String())
		}
	})
	return f
}

// client shows the demo's certificate, or none.
func (f *fixture) client(t *testing.T, certificate bool) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(f.dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{RootCAs: poolOf(pem)}
	if certificate {
		pair, err := tls.LoadX509KeyPair(filepath.Join(f.dir, "client.pem"), filepath.Join(f.dir, "client-key.pem"))
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

func (f *fixture) token(t *testing.T) string {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(f.dir, "token"))
	if err != nil {
		t.Fatal(err)
	}
	return string(token)
}

// ask sends a request and returns the answer with its body.
func (f *fixture) ask(t *testing.T, c *http.Client, method, target string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, "https://"+f.server.Addr().String()+target, nil)
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

func exposes(body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", exposition004)
		_, _ = io.WriteString(w, body)
	})
}

// syncBuffer is a bytes.Buffer that a gate writes and a test reads.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// process is the outside world of a command in a test.
func process(environ []string, stdout, stderr io.Writer) *cli.Process {
	return &cli.Process{Environ: environ, Stdout: stdout, Stderr: stderr}
}

// runCommand carries c out and returns its exit status.
func runCommand(ctx context.Context, c cli.Command, p *cli.Process, args ...string) int {
	return cli.Report(p.Stderr, p.Run(ctx, c, args))
}

func poolOf(pem []byte) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return pool
}

// wait returns what run returned.
func (f *fixture) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-f.result:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("the gate still runs")
		return nil
	}
}
