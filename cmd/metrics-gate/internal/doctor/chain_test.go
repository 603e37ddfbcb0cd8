package doctor

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// chained is a doctor whose server certificate file is of these PEM blocks.
func chained(t *testing.T, blocks ...[]byte) *doctor {
	t.Helper()
	d := patient(t)
	d.config.TLS.CertFile = filepath.Join(t.TempDir(), "chain.pem")
	if err := os.WriteFile(d.config.TLS.CertFile, bytes.Join(blocks, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDoctorOfAChain(t *testing.T) {
	authority := func(name string) *testca.CA {
		ca, err := testca.NewCA(testca.Options{CommonName: name})
		if err != nil {
			t.Fatal(err)
		}
		return ca
	}
	issue := func(ca *testca.CA, o testca.Options) []byte {
		pair, err := ca.Issue(o)
		if err != nil {
			t.Fatal(err)
		}
		return pair.CertPEM()
	}
	one, other := authority("one"), authority("other")
	good := issue(one, testca.Options{DNSNames: []string{"gate.example"}, IPs: []string{"192.0.2.1"}})

	found := chained(t, good, one.CertPEM()).serverChain()
	expect(t, found, cli.LevelOK, "for gate.example, 192.0.2.1, issued by CN=one")
	if cli.Worst(found) != cli.LevelOK {
		t.Errorf("%+v", found)
	}
	expect(t, chained(t, good, other.CertPEM()).serverChain(), cli.LevelWarn, "number 1 is not issued by number 2")
	expect(t, chained(t, issue(one, testca.Options{CommonName: "gate.example"})).serverChain(), cli.LevelFail,
		"subjectAltName")
	clientOnly := issue(one, testca.Options{DNSNames: []string{"a.example"},
		Edit: func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }})
	expect(t, chained(t, clientOnly).serverChain(), cli.LevelFail, "not for servers")
	if found := chained(t, []byte("nonsense")).serverChain(); found != nil {
		t.Errorf("%+v", found)
	}
}

// An expired file is not yet what a running gate serves: it refuses to load it.
func TestDoctorOfAnExpiredServerFile(t *testing.T) {
	ca := testca.Must(testca.NewCA(testca.Options{CommonName: "ca"}))
	dir, now := t.TempDir(), time.Now()
	cert, key := filepath.Join(dir, "old.pem"), filepath.Join(dir, "old-key.pem")
	old := testca.Options{
		DNSNames:  []string{"a.example"},
		NotBefore: now.Add(-48 * time.Hour),
		NotAfter:  now.Add(-time.Hour),
	}
	if err := testca.Must(ca.Issue(old)).WriteFiles(cert, key); err != nil {
		t.Fatal(err)
	}
	d := patient(t, config.Prefix+"TLS_CERT_FILE="+cert, config.Prefix+"TLS_KEY_FILE="+key)
	said := slices.DeleteFunc(append(d.configuration(), d.files()...), func(f cli.Finding) bool {
		return !strings.Contains(f.What, "expired") && !strings.Contains(f.What, "not valid")
	})
	if len(said) != 1 {
		t.Errorf("said %d times: %+v", len(said), said)
	}
	expect(t, said, cli.LevelFail, "renew it: a reload refuses it, and a gate that starts with it serves nobody")
}

// A reload loads a chain with an expired intermediate.
func TestDoctorOfAnExpiredIntermediate(t *testing.T) {
	ca := testca.Must(testca.NewCA(testca.Options{CommonName: "ca"}))
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "chain.pem"), filepath.Join(dir, "key.pem")
	old := testca.Must(ca.Intermediate(testca.Options{CommonName: "old middle", NotAfter: time.Now().Add(-time.Hour)}))
	leaf := testca.Must(old.Issue(testca.Options{DNSNames: []string{"a.example"}}))
	if err := leaf.WriteFiles(cert, key); err != nil {
		t.Fatal(err)
	}
	d := patient(t, config.Prefix+"TLS_CERT_FILE="+cert, config.Prefix+"TLS_KEY_FILE="+key)
	said := slices.DeleteFunc(append(d.configuration(), d.files()...), func(f cli.Finding) bool {
		return !strings.Contains(f.What, "expired")
	})
	if len(said) != 1 || !strings.Contains(said[0].What, "CN=old middle expired on") ||
		!strings.HasPrefix(said[0].Do, "replace it with the CA's present intermediate") {
		t.Errorf("%+v", said)
	}
}
