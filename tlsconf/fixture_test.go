package tlsconf_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// fixture is a folder of files, a server CA and a client CA.
type fixture struct {
	t       testing.TB
	dir     string
	server  *testca.CA
	gate    *testca.Pair
	clients *testca.CA
	log     *buffer
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	s := &fixture{t: t, dir: t.TempDir(), log: new(buffer)}
	s.server = testca.Must(testca.NewCA(testca.Options{CommonName: "server root"}))
	s.clients = testca.Must(testca.NewCA(testca.Options{CommonName: "client root"}))
	s.gate = s.serverPair()
	s.writePair(s.gate)
	s.write("ca.crt", s.clients.CertPEM())
	return s
}

func (s *fixture) serverPair() *testca.Pair {
	return testca.Must(
		s.server.Issue(
			testca.Options{CommonName: "gate", DNSNames: []string{"gate.example"}, IPs: []string{"127.0.0.1"}},
		),
	)
}

func (s *fixture) client(name string) *testca.Pair {
	return testca.Must(s.clients.Issue(testca.Options{CommonName: name}))
}

func (s *fixture) path(name string) string { return filepath.Join(s.dir, name) }

// write replaces a file by an atomic rename.
func (s *fixture) write(name string, data []byte) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name+".new"), data, 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(s.path(name+".new"), s.path(name)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *fixture) writePair(p *testca.Pair) {
	s.t.Helper()
	s.write("tls.crt", p.CertPEM())
	s.write("tls.key", testca.Must(p.KeyPEM()))
}

// writeCRL writes lists in PEM.
func (s *fixture) writeCRL(lists ...[]byte) {
	s.t.Helper()
	s.write("ca.crl", testca.CRLPEM(lists...))
}

// files names the files; the list only if it is there.
func (s *fixture) files(auth tlsconf.ClientAuth) tlsconf.Files {
	f := tlsconf.Files{Cert: s.path("tls.crt"), Key: s.path("tls.key"), ClientAuth: auth}
	if auth == tlsconf.None {
		return f
	}
	f.ClientCA = s.path("ca.crt")
	if _, err := os.Stat(s.path("ca.crl")); err == nil {
		f.ClientCRL = s.path("ca.crl")
	}
	return f
}

func (s *fixture) reloader(files tlsconf.Files) *tlsconf.Reloader {
	s.t.Helper()
	r, err := tlsconf.New(files, slog.New(slog.NewTextHandler(s.log, nil)))
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// serve answers every line with the verdict of Verify, until the test ends.
func (s *fixture) serve(r *tlsconf.Reloader) (addr string) {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			raw, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				conn := tls.Server(raw, r.Config())
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
				lines := bufio.NewScanner(conn)
				for lines.Scan() {
					state := conn.ConnectionState()
					fmt.Fprintln(conn, r.Verify(r.VerifiedChains(&state)))
				}
			})
		}
	})
	s.t.Cleanup(func() { listener.Close(); running.Wait() })
	return listener.Addr().String()
}

// config is a scraper that presents pair, unless it is nil.
func (s *fixture) config(pair *testca.Pair) *tls.Config {
	c := &tls.Config{RootCAs: s.server.Pool(), ServerName: "gate.example", NextProtos: []string{"http/1.1"}}
	if pair != nil {
		// GetClientCertificate presents what an honest client would hold back.
		presented := pair.TLS()
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &presented, nil }
	}
	return c
}

// ask makes a connection and one request on it: in TLS 1.3 a client learns only then
// whether its certificate was accepted.
func ask(addr string, config *tls.Config) (string, error) {
	conn, err := dial(addr, config)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return again(conn)
}

func dial(addr string, config *tls.Config) (*tls.Conn, error) {
	raw, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return nil, err
	}
	_ = raw.SetDeadline(time.Now().Add(20 * time.Second))
	conn := tls.Client(raw, config)
	if err := conn.Handshake(); err != nil {
		raw.Close()
		return nil, err
	}
	return conn, nil
}

func again(conn *tls.Conn) (string, error) {
	if _, err := io.WriteString(conn, "?\n"); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return line, err
}

// chains is what a handshake with pair would have verified under root.
func chains(t testing.TB, pair *testca.Pair, root *testca.CA) [][]*x509.Certificate {
	t.Helper()
	between := x509.NewCertPool()
	for _, cert := range pair.Chain[1:] {
		between.AddCert(cert)
	}
	found, err := pair.Leaf().Verify(x509.VerifyOptions{Roots: root.Pool(), Intermediates: between,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

type buffer struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.String()
}

// parsed is the chain of a pair that crypto/tls has loaded.
func parsed(t testing.TB, pair tls.Certificate) []*x509.Certificate {
	t.Helper()
	var chain []*x509.Certificate
	for _, der := range pair.Certificate {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		chain = append(chain, cert)
	}
	return chain
}

// chainsOf claims the pair's own chain as verified.
func chainsOf(pair *testca.Pair) [][]*x509.Certificate { return [][]*x509.Certificate{pair.Chain} }
