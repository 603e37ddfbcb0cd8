package doctor

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
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
