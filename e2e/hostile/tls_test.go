package hostile_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"debug/buildinfo"
	"go/version"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

func TestToolchain(t *testing.T) {
	t.Parallel()
	info, err := buildinfo.ReadFile(harness.Binary(t))
	if err != nil {
		t.Fatal(err)
	}
	if version.Compare(info.GoVersion, "go1.26.6") < 0 {
		t.Errorf("built by %s", info.GoVersion)
	}
}

// handshake connects with config, sends a request and reports whether the gate answers.
func (w *fixture) handshake(config *tls.Config) (*tls.ConnectionState, error) {
	wire, err := harness.Dial(w.gate.Address, "", config)
	if err != nil {
		return nil, err
	}
	defer func() { _ = wire.Close() }()
	state := wire.Conn.(*tls.Conn).ConnectionState()
	// a TLS 1.3 server refuses a certificate after the client's handshake
	if err := wire.Send(get("/metrics")); err != nil {
		return nil, err
	}
	_, err = wire.Receive("GET")
	return &state, err
}

func TestProtocolVersionsAndSuites(t *testing.T) {
	t.Parallel()
	for minimum, versions := range map[string]map[uint16]bool{
		"1.3": {tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: false, tls.VersionTLS13: true},
		"1.2": {tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true},
	} {
		w := newFixture(t, harness.AnswerExposition(sample), "TLS_MIN_VERSION="+minimum)
		for v, want := range versions {
			config := w.config(w.scraper)
			config.MinVersion, config.MaxVersion = v, v
			if _, err := w.handshake(config); (err == nil) != want {
				t.Errorf("minimum %s, %s: %v", minimum, tls.VersionName(v), err)
			}
		}
		for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
			if suite.SupportedVersions[0] == tls.VersionTLS13 {
				continue
			}
			config := w.config(w.scraper)
			config.MaxVersion, config.CipherSuites = tls.VersionTLS12, []uint16{suite.ID}
			state, err := w.handshake(config)
			good := map[string]bool{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": true,
				"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": true, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": true}
			if want := minimum == "1.2" && good[suite.Name]; (err == nil) != want {
				t.Errorf("minimum %s, %s: %v, %v", minimum, suite.Name, state, err)
			}
		}
	}
}

func TestOnlyHTTP11IsNegotiated(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	for _, protocols := range [][]string{nil, {"http/1.1"}, {"h2", "http/1.1"}} {
		config := w.config(w.scraper)
		config.NextProtos = protocols
		state, err := w.handshake(config)
		if err != nil || state.NegotiatedProtocol == "h2" {
			t.Errorf("%v: %v, %v", protocols, state, err)
		}
	}
	for _, protocol := range []string{"h2", "h3", "acme-tls/1", "\x00\xff\n{\"level\":\"x\"}"} {
		config := w.config(w.scraper)
		config.NextProtos = []string{protocol}
		if state, err := w.handshake(config); err == nil {
			t.Errorf("%q: %v", protocol, state.NegotiatedProtocol)
		}
	}
}

func TestSessionsAreNotResumed(t *testing.T) {
	t.Parallel()
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		w := newFixture(t, harness.AnswerExposition(sample), "TLS_MIN_VERSION=1.2")
		config := w.config(w.scraper)
		config.MaxVersion, config.ClientSessionCache = v, tls.NewLRUClientSessionCache(10)
		for range 3 {
			state, err := w.handshake(config)
			if err != nil || state.DidResume {
				t.Errorf("%s: %v, %v", tls.VersionName(v), state, err)
			}
		}
		if _, ok := config.ClientSessionCache.Get("localhost"); ok {
			t.Errorf("%s: the gate gave out a ticket", tls.VersionName(v))
		}
	}
}

// hello returns the ClientHello of crypto/tls with an extension added.
func hello(t *testing.T, config *tls.Config, extension []byte) []byte {
	t.Helper()
	ours, theirs := net.Pipe()
	go func() { _ = tls.Client(ours, config).Handshake() }()
	record := make([]byte, 16<<10)
	n, err := io.ReadAtLeast(theirs, record, 5)
	_ = theirs.Close()
	if err != nil {
		t.Fatal(err)
	}
	record = record[:n]
	// Record header 5, handshake header 4, version 2, random 32, session, suites, methods.
	at := 5 + 4 + 2 + 32
	at += 1 + int(record[at])
	at += 2 + int(record[at])<<8 + int(record[at+1])
	at += 1 + int(record[at])
	record = append(record, extension...)
	grow := func(i, size int) {
		length := 0
		for _, b := range record[i : i+size] {
			length = length<<8 | int(b)
		}
		length += len(extension)
		for j := size - 1; j >= 0; j-- {
			record[i+j], length = byte(length), length>>8
		}
	}
	grow(3, 2)
	grow(6, 3)
	grow(at, 2)
	return record
}

func TestEarlyDataIsRefused(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	for name, extension := range map[string][]byte{"none": nil, "early data": {0, 42, 0, 0}} {
		conn, err := net.Dial("tcp", w.gate.Address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * second))
		if _, err := conn.Write(append(hello(t, w.scraperTLS, extension),
			"\x17\x03\x03\x00\x05early"...)[:]); err != nil {
			t.Fatal(err)
		}
		kind := make([]byte, 1)
		if _, err := io.ReadFull(conn, kind); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		const alert, handshake = 21, 22
		if want := map[string]byte{"none": handshake, "early data": alert}[name]; kind[0] != want {
			t.Errorf("%s: the gate answers with a record of type %d, want %d", name, kind[0], want)
		}
	}
	if got := w.recorder.Bytes(); got != "" {
		t.Errorf("reached the runner: %q", got)
	}
}

// openssl s_client renegotiates when it reads a line "R".
func TestRenegotiationIsRefused(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample), "TLS_MIN_VERSION=1.2")
	for line, want := range map[string]bool{"": true, "R\n": false} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*second)
		defer cancel()
		client := exec.CommandContext(ctx, "openssl", "s_client", "-brief", "-connect", w.gate.Address, "-tls1_2",
			"-CAfile", w.pki.File("ca.pem"), "-cert", w.pki.File("scraper.pem"), "-key", w.pki.File("scraper-key.pem"))
		var out testwait.Buffer
		client.Stdout, client.Stderr = &out, &out
		in, err := client.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Start(); err != nil {
			t.Fatal(err)
		}
		says := func(text string) {
			harness.Eventually(t, text, func() bool { return strings.Contains(strings.ToUpper(out.String()), text) })
		}
		says("CONNECTION ESTABLISHED")
		_, _ = io.WriteString(in, line)
		if line != "" {
			says("RENEGOTIATING")
		}
		_, _ = io.WriteString(in, request("GET", "/metrics", "Connection: close"))
		_ = client.Wait() // the gate closes the connection in both cases
		if got := strings.Contains(out.String(), "HTTP/1.1 200"); got != want {
			t.Errorf("%q: answered %v\n%s", line, got, out.String())
		}
	}
}

// An identity is an exact name of the exact type in the verified leaf certificate.
func TestCertificateIdentities(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample),
		"METRICS_ALLOW=dns:prometheus.example,uri:spiffe://example/ns/*/sa/prometheus,token:prometheus", "PPROF_ALLOW=")
	other := testca.Must(testca.NewCA(testca.Options{CommonName: "e2e"}))
	issue := func(o testca.Options) *testca.Pair { return testca.Must(w.pki.CA.Issue(o)) }
	withExtraChain := issue(testca.Options{DNSNames: []string{"guest.example"}})
	withExtraChain.Chain = append(withExtraChain.Chain, w.scraper.Chain...)
	for name, test := range map[string]struct {
		pair   *testca.Pair
		status int // 0: no answer
	}{
		"dns":            {issue(testca.Options{DNSNames: []string{"prometheus.example"}}), 200},
		"one of several": {issue(testca.Options{DNSNames: []string{"a.example", "prometheus.example"}}), 200},
		"uri": {issue(testca.Options{URIs: []string{"spiffe://example/ns/monitoring/sa/prometheus"}}),
			200},
		"uri, two segments": {issue(testca.Options{URIs: []string{"spiffe://example/ns/a/b/sa/prometheus"}}), 403},
		"uri, query":        {issue(testca.Options{URIs: []string{"spiffe://example/ns/a/sa/prometheus?x"}}), 403},
		"uri, escaped":      {issue(testca.Options{URIs: []string{"spiffe://example/ns/a%2fb/sa/prometheuS"}}), 403},
		"common name":       {issue(testca.Options{CommonName: "prometheus.example"}), 403},
		"email":             {issue(testca.Options{Emails: []string{"prometheus.example"}}), 403},
		"uri of the name":   {issue(testca.Options{URIs: []string{"dns:prometheus.example"}}), 403},
		"upper case":        {issue(testca.Options{DNSNames: []string{"PROMETHEUS.EXAMPLE"}}), 200},
		"trailing dot":      {issue(testca.Options{DNSNames: []string{"prometheus.example."}}), 403},
		"wildcard":          {issue(testca.Options{DNSNames: []string{"*.example"}}), 403},
		"longer":            {issue(testca.Options{DNSNames: []string{"x.prometheus.example"}}), 403},
		"extra chain":       {withExtraChain, 403}, "no name": {issue(testca.Options{}), 403},
		"for servers": {issue(testca.Options{DNSNames: []string{"prometheus.example"},
			Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}), 0},
		"expired": {issue(testca.Options{DNSNames: []string{"prometheus.example"},
			NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}), 0},
		"not yet": {issue(testca.Options{DNSNames: []string{"prometheus.example"},
			NotBefore: time.Now().Add(time.Hour)}), 0},
		"other ca":    {testca.Must(other.Issue(testca.Options{DNSNames: []string{"prometheus.example"}})), 0},
		"self-signed": {testca.Must(testca.SelfSigned(testca.Options{DNSNames: []string{"prometheus.example"}})), 0},
	} {
		t.Run(name, func(t *testing.T) {
			wire, err := harness.Dial(w.gate.Address, "", w.config(test.pair))
			if err == nil {
				defer func() { _ = wire.Close() }()
				err = wire.Send(get("/metrics"))
			}
			var reply *harness.Reply
			if err == nil {
				reply, err = wire.Receive("GET")
			}
			switch {
			case test.status == 0 && err == nil:
				t.Errorf("status %d", reply.Status)
			case test.status != 0 && err != nil:
				t.Error(err)
			case test.status != 0:
				expect(t, reply, test.status)
			}
		})
	}
}
