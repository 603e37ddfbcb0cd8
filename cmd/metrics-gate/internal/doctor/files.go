package doctor

import (
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/expiry"
	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

// certificatesOf parses every certificate of a PEM file; what cannot be read has been
// reported when the configuration was loaded.
func certificatesOf(path string) []*x509.Certificate {
	rest, err := safefile.Read(path, safefile.Rule{MaxBytes: 16 << 20, Public: true})
	if err != nil {
		return nil
	}
	var list []*x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return list
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			list = append(list, c)
		}
	}
}

// files looks at certificates, CAs, lists, and who may write them.
func (d *doctor) files() []cli.Finding {
	found := d.serverChain()
	found = append(found, d.clientCA()...)
	if d.gate != nil && d.gate.TLS != nil {
		for _, e := range expiry.List(d.gate.TLS, d.now()) {
			soon := expiry.Findings([]expiry.Entry{e})
			if e.Expired() {
				soon[0].Level = cli.LevelFail
				if e.ExpiredServer() { // a gate that runs may still have the one before
					soon[0].Do = expiry.AdviceServerFile
				}
			}
			found = append(found, soon...)
			if len(soon) == 0 {
				found = append(found, cli.OK("%s: until %s (%s)", e, e.NotAfter.Format(time.DateOnly), e.Left()))
			}
		}
	}
	return append(found, d.permissions()...)
}

// serverChain looks at names, usage and order of the server's chain.
func (d *doctor) serverChain() []cli.Finding {
	if d.config.TLS.CertFile == "" {
		return nil
	}
	chain := certificatesOf(d.config.TLS.CertFile)
	if len(chain) == 0 {
		return nil
	}
	leaf := chain[0]
	names := client.Names(leaf)
	if len(names) == 0 {
		return []cli.Finding{cli.Fail("issue it with subjectAltName: scrapers do not look at the common name",
			"certificate %s: no DNS name and no address in it", d.config.TLS.CertFile)}
	}
	found := []cli.Finding{cli.OK("certificate %s: for %s, issued by %s", d.config.TLS.CertFile,
		strings.Join(names, ", "), leaf.Issuer)}
	if len(leaf.ExtKeyUsage) > 0 && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth) &&
		!slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny) {
		found = append(found, cli.Fail("issue it with the serverAuth usage", "certificate %s: not for servers",
			d.config.TLS.CertFile))
	}
	for i := 1; i < len(chain); i++ {
		if err := chain[i-1].CheckSignatureFrom(chain[i]); err != nil {
			found = append(found, cli.Warn("order the file: leaf first, then each issuer",
				"certificate %s: number %d is not issued by number %d", d.config.TLS.CertFile, i, i+1))
		}
	}
	return found
}

// clientCA looks whether the client CAs can issue certificates.
func (d *doctor) clientCA() []cli.Finding {
	var found []cli.Finding
	for _, c := range certificatesOf(d.config.TLS.ClientCAFile) {
		name := c.Subject.String()
		switch {
		case !c.IsCA:
			found = append(found, cli.Fail("put the CA's certificate there, not the client's",
				"client CA %s: %s is not a CA", d.config.TLS.ClientCAFile, name))
		case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
			found = append(found, cli.Fail("use a CA with the keyCertSign usage",
				"client CA %s: %s may not sign certificates", d.config.TLS.ClientCAFile, name))
		default:
			found = append(found, cli.OK("client CA %s: %s", d.config.TLS.ClientCAFile, name))
		}
	}
	return found
}

// permissions looks who may replace the files that the gate trusts.
func (d *doctor) permissions() []cli.Finding {
	paths := map[string]string{
		"TLS_CERT_FILE": d.config.TLS.CertFile, "TLS_KEY_FILE": d.config.TLS.KeyFile,
		"TLS_CLIENT_CA_FILE": d.config.TLS.ClientCAFile, "TLS_CLIENT_CRL_FILE": d.config.TLS.ClientCRLFile,
		"TOKENS_FILE": d.config.Allow.TokensFile, "RUNNER_NAME_FILE": d.config.Label.RunnerNameFile,
	}
	for i := range d.config.OIDC {
		issuer := &d.config.OIDC[i]
		paths[strings.TrimPrefix(issuer.Prefix, config.Prefix)+"JWKS_FILE"] = issuer.JWKSFile
		paths[strings.TrimPrefix(issuer.Prefix, config.Prefix)+"CA_FILE"] = issuer.CAFile
	}
	var found []cli.Finding
	names := make([]string, 0, len(paths))
	for name, path := range paths {
		if path != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if where := writableByOthers(paths[name]); where != "" {
			found = append(found, cli.Fail("chmod o-w "+where, "permissions of %s%s: anyone may write %s",
				config.Prefix, name, where))
		}
	}
	if len(found) == 0 && len(names) > 0 {
		found = append(found, cli.OK("permissions: nobody else may write the %d files", len(names)))
	}
	return found
}

// writableByOthers returns path, or its folder, if others may replace the content. Go knows no
// permissions on Windows; the configuration does not load with a file that others may write.
func writableByOthers(path string) string {
	if runtime.GOOS == "windows" {
		return ""
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o002 != 0 {
		return path
	}
	folder := filepath.Dir(path)
	if info, err := os.Stat(folder); err == nil && info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
		return folder
	}
	return ""
}
