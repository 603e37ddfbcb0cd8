package server_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// certificatesOnly makes certificates the only method: the handshake demands one.
func certificatesOnly() []string {
	return []string{config.Prefix + "TOKENS_FILE", config.Prefix + "METRICS_ALLOW=dns:prometheus.demo"}
}

// ownSeries returns the gate's own metrics that start with prefix and are not 0, without the
// label of the runner.
func ownSeries(t *testing.T, f *gatetest.Gate, prefix string) (found []string) {
	t.Helper()
	response, err := http.Get("http://" + f.Server.AdminAddr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(strings.Replace(line, `,runner_name="demo-runner"`, "", 1))
		if strings.HasPrefix(line, prefix) && !strings.HasSuffix(line, " 0") {
			found = append(found, line)
		}
	}
	return found
}

// present makes a client present a certificate whatever CAs the gate asks for.
func present(pair *testca.Pair) func(*tls.Config) {
	certificate := pair.TLS()
	return func(c *tls.Config) {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &certificate, nil
		}
	}
}

// shake makes a handshake as a client of f with an edited configuration, and reads until
// the gate ends the connection.
func shake(t *testing.T, f *gatetest.Gate, edit func(*tls.Config)) {
	t.Helper()
	c := f.Client(t, true).Transport.(*http.Transport).TLSClientConfig
	c.ServerName = "localhost"
	edit(c)
	conn, err := tls.Dial("tcp", f.Server.Addr().String(), c)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.Close()
}

// send writes raw bytes, and reads until the gate ends the connection.
func send(t *testing.T, f *gatetest.Gate, raw string) {
	t.Helper()
	conn, err := net.Dial("tcp", f.Server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, raw)
	_ = conn.(*net.TCPConn).CloseWrite()
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.Close()
}

// clientHello is the first flight of a client.
func clientHello(t *testing.T) string {
	t.Helper()
	client, server := net.Pipe()
	go func() {
		_ = tls.Client(client, &tls.Config{ServerName: "localhost"}).HandshakeContext(t.Context())
	}()
	defer func() { _ = server.Close() }()
	flight := make([]byte, 4096)
	n, err := server.Read(flight)
	if err != nil {
		t.Fatal(err)
	}
	return string(flight[:n])
}

// failedHandshake is what a client does, and what the gate counts and logs of it.
type failedHandshake struct {
	name, reason, counted string // counted: labels of metrics_gate_authentications_total, if any
	do                    func(t *testing.T, f *gatetest.Gate)
	logged                []string
}

// failedHandshakes are the ways to fail before a gate that trusts only trusted.
func failedHandshakes(trusted, another *testca.CA) []failedHandshake {
	return []failedHandshake{
		{"no certificate", "no_certificate", `method="none",result="no_credential"`,
			func(t *testing.T, f *gatetest.Gate) {
				shake(t, f, func(c *tls.Config) { c.Certificates = nil })
			}, []string{"advice=\"give the client a certificate"}},
		{"no certificate, no ALPN, TLS 1.2", "no_certificate", `method="none",result="no_credential"`,
			func(t *testing.T, f *gatetest.Gate) {
				shake(t, f, func(c *tls.Config) { c.Certificates, c.MaxVersion = nil, tls.VersionTLS12 })
			}, nil},
		{"another CA", "certificate", `method="certificate",result="unknown"`,
			func(t *testing.T, f *gatetest.Gate) {
				shake(t, f, present(testca.Must(another.Issue(testca.Options{CommonName: "intruder"}))))
			}, []string{"subject=\"CN=intruder", "issuer=\"CN=another", "serial=", "advice="}},
		{"expired", "certificate", `method="certificate",result="expired"`,
			func(t *testing.T, f *gatetest.Gate) {
				shake(t, f, present(testca.Must(trusted.Issue(testca.Options{CommonName: "late",
					NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}))))
			}, []string{"subject=\"CN=late"}},
		{"the client trusts another CA", "alert", "", func(t *testing.T, f *gatetest.Gate) {
			shake(t, f, func(c *tls.Config) { c.RootCAs = another.Pool() })
		}, []string{"advice=\"the scraper does not trust this gate's CA"}},
		{"plain HTTP", "protocol", "", func(t *testing.T, f *gatetest.Gate) {
			send(t, f, "GET /metrics HTTP/1.1\r\nHost: gate\r\n\r\n")
		}, []string{"use https"}},
		{"TLS 1.1", "protocol", "", func(t *testing.T, f *gatetest.Gate) {
			shake(t, f, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 })
		}, nil},
		{"HTTP/2 only", "protocol", "", func(t *testing.T, f *gatetest.Gate) {
			shake(t, f, func(c *tls.Config) { c.NextProtos, c.Certificates = []string{"h2"}, nil })
		}, nil},
		{"left after the hello", "closed", "", func(t *testing.T, f *gatetest.Gate) {
			send(t, f, clientHello(t))
		}, []string{"advice=\"the client does not trust this gate's CA, or hung up"}},
		{"plain alert after the gate's certificate", "closed", "", func(t *testing.T, f *gatetest.Gate) {
			const unknownCA = "\x15\x03\x03\x00\x02\x02\x30"
			send(t, f, clientHello(t)+unknownCA)
		}, []string{"advice=\"the client does not trust this gate's CA, or hung up"}},
	}
}

func TestFailedHandshakesAreCounted(t *testing.T) {
	trusted := testca.Must(testca.NewCA(testca.Options{CommonName: "trusted"}))
	another := testca.Must(testca.NewCA(testca.Options{CommonName: "another"}))
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bundle, trusted.CertPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range failedHandshakes(trusted, another) {
		t.Run(test.name, func(t *testing.T) {
			f := gatetest.Start(t, gatetest.Exposes("up 1\n"), append(certificatesOnly(),
				config.Prefix+"TLS_MIN_VERSION=1.2", config.Prefix+"TLS_CLIENT_CA_FILE="+bundle)...)
			send(t, f, "") // a port scan is no failure
			test.do(t, f)
			said := f.WaitFor(t, 0, "handshake failed")
			for _, want := range append(test.logged, "reason="+test.reason, "remote=127.0.0.1:") {
				if !strings.Contains(said, want) {
					t.Errorf("no %q in\n%s", want, said)
				}
			}
			const failures = "metrics_gate_handshake_failures_total"
			want := fmt.Sprintf("[%s{reason=%q} 1]", failures, test.reason)
			if got := fmt.Sprint(ownSeries(t, f, failures)); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			const authentications = "metrics_gate_authentications_total"
			want = "[]"
			if test.counted != "" {
				want = fmt.Sprintf("[%s{%s} 1]", authentications, test.counted)
			}
			if got := fmt.Sprint(ownSeries(t, f, authentications)); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

// A client of TLS 1.3 sends its request before it knows that its certificate is refused. Its
// writes must succeed until it has read the alert that says why: a reset would hide that.
func TestRefusedClientIsNotReset(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), certificatesOnly()...)
	c := f.Client(t, true).Transport.(*http.Transport).TLSClientConfig
	c.ServerName, c.Certificates = "localhost", nil
	raw, err := net.Dial("tcp", f.Server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	if err := tls.Client(raw, c).HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Read(make([]byte, 1)); err != nil { // the alert has come: the gate is done
		t.Fatal(err)
	}
	for i := range 500 {
		if _, err := io.WriteString(raw, "part of a request"); err != nil {
			t.Fatalf("write %d: %v", i, err)
		}
	}
}

// A client that says nothing is closed after READ_HEADER_TIMEOUT.
func TestSilentHandshakeTimesOut(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"READ_HEADER_TIMEOUT=50ms")
	conn, err := net.Dial("tcp", f.Server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.Copy(io.Discard, conn)
	if said := f.WaitFor(t, 0, "handshake failed"); !strings.Contains(said, "reason=timeout") {
		t.Errorf("no timeout in\n%s", said)
	}
}

// Failed handshakes take from the failures of their address. A good certificate gets in
// from there all the same.
func TestFailedHandshakesAreLimited(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), append(certificatesOnly(),
		config.Prefix+"FAILURE_RATE_LIMIT=0.001", config.Prefix+"FAILURE_BURST=2")...)
	const limited = `metrics_gate_rate_limited_total{limiter="failures"} `
	for range 5 {
		shake(t, f, func(c *tls.Config) { c.Certificates = nil })
	}
	testwait.Eventually(t, "count of limited failures", func() bool {
		return fmt.Sprint(ownSeries(t, f, limited)) == "["+limited+"3]"
	})
	if response, _ := f.Ask(t, f.Client(t, true), "GET", "/metrics"); response.StatusCode != 200 {
		t.Errorf("a good certificate from the address: %d", response.StatusCode)
	}
}
