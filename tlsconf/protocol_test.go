package tlsconf_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

func TestVersions(t *testing.T) {
	s := newFixture(t)
	strict, wide := s.files(tlsconf.Required), s.files(tlsconf.Required)
	wide.MinVersion = tls.VersionTLS12
	explicit := strict
	explicit.MinVersion = tls.VersionTLS13
	for _, tc := range []struct {
		name   string
		files  tlsconf.Files
		client uint16
		good   bool
	}{
		{"default", strict, tls.VersionTLS13, true},
		{"default", strict, tls.VersionTLS12, false},
		{"1.3", explicit, tls.VersionTLS12, false},
		{"1.2", wide, tls.VersionTLS13, true},
		{"1.2", wide, tls.VersionTLS12, true},
		{"1.2", wide, tls.VersionTLS11, false},
		{"1.2", wide, tls.VersionTLS10, false},
	} {
		config := s.config(s.client("scraper"))
		config.MinVersion, config.MaxVersion = tls.VersionTLS10, tc.client
		answer, err := ask(s.serve(s.reloader(tc.files)), config)
		if (err == nil) != tc.good {
			t.Errorf("%s, client %s: %q, %v", tc.name, tls.VersionName(tc.client), answer, err)
		}
	}
}

func TestSuitesOfTLS12(t *testing.T) {
	s := newFixture(t)
	files := s.files(tlsconf.Required)
	files.MinVersion = tls.VersionTLS12
	ecdsa := s.serve(s.reloader(files))
	key := testca.Must(rsa.GenerateKey(rand.Reader, 2048))
	s.writePair(testca.Must(s.server.Issue(testca.Options{Key: key, DNSNames: []string{"gate.example"}})))
	rsa := s.serve(s.reloader(files))
	good := 0
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if slices.Contains(suite.SupportedVersions, tls.VersionTLS13) {
			continue
		}
		passed := false
		for _, addr := range []string{ecdsa, rsa} {
			config := s.config(s.client("scraper"))
			config.MaxVersion, config.CipherSuites = tls.VersionTLS12, []uint16{suite.ID}
			_, err := ask(addr, config)
			passed = passed || err == nil
		}
		aead := strings.Contains(suite.Name, "_ECDHE_") &&
			(strings.Contains(suite.Name, "_GCM_") || strings.Contains(suite.Name, "_POLY1305_"))
		if passed != aead {
			t.Errorf("%s: passed %t", suite.Name, passed)
		}
		if passed {
			good++
		}
	}
	if good != 6 {
		t.Errorf("%d suites pass, want 6", good)
	}
}

func TestProtocolsAndNames(t *testing.T) {
	s := newFixture(t)
	addr := s.serve(s.reloader(s.files(tlsconf.Required)))
	for _, tc := range []struct {
		offered []string
		agreed  string
		good    bool
	}{
		{nil, "", true},
		{[]string{"http/1.1"}, "http/1.1", true},
		{[]string{"h2", "http/1.1"}, "http/1.1", true},
		{[]string{"h2"}, "", false},
		{[]string{"spdy/3"}, "", false},
	} {
		config := s.config(s.client("scraper"))
		config.NextProtos = tc.offered
		conn, err := dial(addr, config)
		if (err == nil) != tc.good {
			t.Errorf("%v: %v", tc.offered, err)
		}
		if err != nil {
			continue
		}
		if got := conn.ConnectionState().NegotiatedProtocol; got != tc.agreed {
			t.Errorf("%v: agreed on %q, want %q", tc.offered, got, tc.agreed)
		}
		conn.Close()
	}
	for _, name := range []string{"", "other.example", "127.0.0.1"} {
		config := s.config(s.client("scraper"))
		config.ServerName, config.InsecureSkipVerify = name, true
		if answer, err := ask(addr, config); err != nil || answer != "<nil>\n" {
			t.Errorf("server name %q: %q, %v", name, answer, err)
		}
	}
}

// As in CVE-2025-68121 of crypto/tls: what a session remembers outlives the trust.
func TestSessionsAreNotResumed(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		s := newFixture(t)
		s.writeCRL(list(s.clients, 1))
		files := s.files(tlsconf.Optional)
		files.MinVersion = tls.VersionTLS12
		r := s.reloader(files)
		addr := s.serve(r)
		scraper := s.client("scraper")
		config := s.config(scraper)
		config.MaxVersion = version
		sessions := &counting{ClientSessionCache: tls.NewLRUClientSessionCache(8)}
		config.ClientSessionCache = sessions
		for range 3 {
			conn, err := dial(addr, config)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := again(conn); err != nil {
				t.Fatal(err)
			}
			if conn.ConnectionState().DidResume {
				t.Errorf("%s: resumed", tls.VersionName(version))
			}
			conn.Close()
		}
		if sessions.put != 0 {
			t.Errorf("%s: %d session tickets given out", tls.VersionName(version), sessions.put)
		}
		s.writeCRL(list(s.clients, 2, scraper.Leaf()))
		if _, err := r.Reload(); err != nil {
			t.Fatal(err)
		}
		if answer, err := ask(addr, config); err == nil {
			t.Errorf("%s: revoked between connections, passed: %q", tls.VersionName(version), answer)
		}
	}
}

type counting struct {
	tls.ClientSessionCache
	put int
}

func (c *counting) Put(key string, state *tls.ClientSessionState) {
	if state != nil {
		c.put++
	}
	c.ClientSessionCache.Put(key, state)
}

// A configuration from GetConfigForClient replaces the outer one: each must hold all of it.
func TestBothConfigurationsAreHard(t *testing.T) {
	s := newFixture(t)
	outer := s.reloader(s.files(tlsconf.Required)).Config()
	inner, err := outer.GetConfigForClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*tls.Config{"outer": outer, "inner": inner} {
		if !c.SessionTicketsDisabled || !c.DynamicRecordSizingDisabled || c.Renegotiation != tls.RenegotiateNever ||
			c.MinVersion != tls.VersionTLS13 || !slices.Equal(c.NextProtos, []string{"http/1.1"}) {
			t.Errorf("%s: %+v", name, c)
		}
	}
	files := s.files(tlsconf.Required)
	files.MinVersion = tls.VersionTLS12
	if c := s.reloader(files).Config(); c.MinVersion != tls.VersionTLS12 || len(c.CipherSuites) != 6 {
		t.Errorf("1.2: %+v", c)
	}
	if inner.ClientCAs == nil || inner.ClientAuth != tls.RequireAndVerifyClientCert ||
		inner.VerifyPeerCertificate != nil {
		t.Errorf("inner: CAs %v, auth %v", inner.ClientCAs, inner.ClientAuth)
	}
}

// net/http adds h2 to a configuration that it serves; the snapshot's word must stand.
func TestUnderNetHTTP(t *testing.T) {
	s := newFixture(t)
	r := s.reloader(s.files(tlsconf.Required))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if err := r.Verify(req.TLS.VerifiedChains); err != nil {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(w, req.Proto)
	}))
	server.EnableHTTP2 = true
	server.TLS = r.Config()
	server.StartTLS()
	defer server.Close()
	pair := s.client("scraper").TLS()
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{
		RootCAs: s.server.Pool(), Certificates: []tls.Certificate{pair}}}}
	defer client.CloseIdleConnections()
	answer, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, _ := io.ReadAll(answer.Body); string(body) != "HTTP/1.1" || answer.StatusCode != 200 {
		t.Errorf("%d %q", answer.StatusCode, body)
	}
}

// Authorities named in the handshake are those of the client CA file, never the system's.
func TestHandshakeNamesTheClientCAs(t *testing.T) {
	s := newFixture(t)
	config := s.config(nil)
	var asked [][]byte
	config.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		asked = info.AcceptableCAs
		return new(tls.Certificate), nil
	}
	if _, err := ask(s.serve(s.reloader(s.files(tlsconf.Optional))), config); err != nil {
		t.Fatal(err)
	}
	if len(asked) != 1 || string(asked[0]) != string(s.clients.Cert.RawSubject) {
		t.Errorf("asked for %d CAs", len(asked))
	}
}
