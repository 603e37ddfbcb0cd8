package tlsconf_test

import (
	"bytes"
	"crypto/x509"
	"maps"

	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// badFile names what one file is replaced with, and how the error describes it.
type badFile struct {
	file   string
	data   func(*fixture) []byte
	want   string
	advice string // part of it; empty: no advice
}

func badFiles() map[string]badFile {
	all := make(map[string]badFile)
	for _, some := range []map[string]badFile{badCertificates(), badKeys(), badCAs(), badLists()} {
		maps.Copy(all, some)
	}
	return all
}

func text(v string) func(*fixture) []byte { return func(*fixture) []byte { return []byte(v) } }

func gateKey(s *fixture) []byte { return testca.Must(s.gate.KeyPEM()) }

func block(kind string, der ...byte) func(*fixture) []byte {
	return func(*fixture) []byte { return encode(kind, der) }
}

func badCertificates() map[string]badFile {
	return map[string]badFile{
		"empty certificate":   {"tls.crt", text(""), "is empty", ""},
		"garbage certificate": {"tls.crt", text("hello"), "no PEM block in it", ""},
		"malformed":           {"tls.crt", block("CERTIFICATE", 1, 2, 3), "certificate 1: x509: malformed", ""},
		"certificate cut off": {
			"tls.crt",
			func(s *fixture) []byte { return s.gate.CertPEM()[:300] },
			"1 of 1 PEM blocks: damaged or cut off",
			"BEGIN and END",
		},
		"certificate is a key": {"tls.crt", gateKey, "holds a private key, not a certificate", "swapped"},
		"certificate in DER": {
			"tls.crt",
			func(s *fixture) []byte { return s.gate.Leaf().Raw },
			"is not PEM but a certificate in DER",
			"openssl x509 -inform DER",
		},
		"only parameters": {"tls.crt", block("EC PARAMETERS", 6), "holds no certificate but EC PARAMETERS", ""},
		"of another key": {
			"tls.crt",
			func(s *fixture) []byte { return s.serverPair().CertPEM() },
			"tls.key)",
			"together",
		},
		"leaf last": {"tls.crt", func(s *fixture) []byte { return testca.CertPEM(s.server.Cert, s.gate.Leaf()) },
			"key belongs to certificate 2, not to the first", "comes first"},
		"certificate huge": {
			"tls.crt",
			func(*fixture) []byte { return bytes.Repeat([]byte("x"), 1<<20+1) },
			"larger than 1048576 bytes",
			"see that it is the right file",
		},
	}
}

func badKeys() map[string]badFile {
	return map[string]badFile{
		"empty key": {"tls.key", text("\n\n"), "no PEM block in it", ""},
		"key is a certificate": {
			"tls.key",
			func(s *fixture) []byte { return s.gate.CertPEM() },
			"holds a certificate, not a private key",
			"swapped",
		},
		"key only parameters": {"tls.key", block("EC PARAMETERS", 6), "holds no private key", ""},
		"encrypted key": {
			"tls.key",
			block("ENCRYPTED PRIVATE KEY", 48),
			"private key is encrypted",
			"openssl pkey",
		},
		"encrypted, old style": {
			"tls.key",
			text(
				"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n" +
					"AAAA\n-----END RSA PRIVATE KEY-----\n",
			),
			"private key is encrypted",
			"openssl pkey",
		},
		"two keys": {
			"tls.key",
			func(s *fixture) []byte { return append(gateKey(s), gateKey(s)...) },
			"more than one private key",
			"",
		},
		"malformed key":     {"tls.key", block("EC PRIVATE KEY", 1), "private key is malformed", ""},
		"malformed RSA key": {"tls.key", block("RSA PRIVATE KEY", 1), "private key is malformed", ""},
		"SSH key": {
			"tls.key",
			block("OPENSSH PRIVATE KEY", 1),
			`private key of type "OPENSSH PRIVATE KEY" is for SSH`,
			"requested with",
		},
		"unknown key": {
			"tls.key",
			block("ODD PRIVATE KEY", 1),
			`private key of type "ODD PRIVATE KEY" is unknown`,
			"",
		},
	}
}

func badCAs() map[string]badFile {
	return map[string]badFile{
		"empty CA":   {"ca.crt", text(""), "is empty", ""},
		"garbage CA": {"ca.crt", text("# none yet\n"), "no PEM block in it", ""},
		"CA cut off": {
			"ca.crt",
			func(s *fixture) []byte { return append(s.clients.CertPEM(), s.server.CertPEM()[:200]...) },
			"1 of 2 PEM blocks: damaged or cut off",
			"BEGIN and END",
		},
		"leaf as CA": {"ca.crt", func(s *fixture) []byte { return s.client("leaf").CertPEM() },
			"certificate 1 (CN=leaf): is not a CA", "CA that issued it"},
		"leaf with CA": {
			"ca.crt",
			func(s *fixture) []byte { return append(s.clients.CertPEM(), s.client("leaf").CertPEM()...) },
			"certificate 2 (CN=leaf): is not a CA",
			"CA that issued it",
		},
		"CA that may not sign": {"ca.crt", func(*fixture) []byte {
			return testca.Must(testca.NewCA(edit(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }))).
				CertPEM()
		}, "key usage does not permit", "CA that issued it"},
		"CA file with a key": {"ca.crt", gateKey, "block 1 is PRIVATE KEY, not a certificate", "only the CAs"},
		"CA file with a list": {
			"ca.crt",
			func(s *fixture) []byte { return testca.CRLPEM(testca.Must(s.clients.CRL(testca.CRLOptions{}))) },
			"block 1 is X509 CRL",
			"file of their own",
		},
		"CA trusted block": {
			"ca.crt",
			block("TRUSTED CERTIFICATE", 48),
			"block 1 is TRUSTED CERTIFICATE",
			"openssl x509",
		},
	}
}

func badLists() map[string]badFile {
	return map[string]badFile{
		"empty CRL":   {"ca.crl", text(""), "is empty", ""},
		"garbage CRL": {"ca.crl", text("x"), "no PEM block in it", ""},
		"CA as CRL": {
			"ca.crl",
			func(s *fixture) []byte { return s.clients.CertPEM() },
			"block 1 is CERTIFICATE, not X509 CRL",
			"only revocation lists",
		},
		"CRL broken": {"ca.crl", block("X509 CRL", 1, 2), "list 1: malformed", ""},
		"CRL DER torn": {
			"ca.crl",
			func(s *fixture) []byte { return testca.Must(s.clients.CRL(testca.CRLOptions{}))[:150] },
			"cut off",
			"",
		},
	}
}
