//go:build unix

package gate

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// fileVariable is a variable that names a file.
type fileVariable struct {
	name   string
	secret bool // refused when others may read it
	public bool // accepted when others may write it
}

// fileVariables lists every variable that names a file.
func fileVariables() []fileVariable {
	return []fileVariable{
		{name: "TLS_CERT_FILE"}, {name: "TLS_KEY_FILE", secret: true}, {name: "TLS_CLIENT_CA_FILE"},
		{name: "TLS_CLIENT_CRL_FILE"}, {name: "TOKENS_FILE", secret: true}, {name: "OIDC_CA_FILE"},
		{name: "OIDC_JWKS_FILE"}, {name: "KUBERNETES_CA_FILE"},
		{name: "KUBERNETES_TOKEN_FILE"}, {name: "OIDC_1_DISCOVERY_TOKEN_FILE"}, // pods get theirs as 0644
		{name: "RUNNER_NAME_FILE", public: true},
	}
}

// everyFile is a good configuration in which every variable that names a file is set to
// dir/<variable>.
func everyFile(t *testing.T) (dir string, environ []string) {
	t.Helper()
	demo := t.TempDir()
	if err := demofiles.Write(demo); err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	ca := testca.Must(testca.NewCA(testca.Options{CommonName: "files"}))
	contents := map[string]string{
		"TLS_CLIENT_CA_FILE":  string(ca.CertPEM()),
		"TLS_CLIENT_CRL_FILE": string(testca.CRLPEM(testca.Must(ca.CRL(testca.CRLOptions{})))),
		"OIDC_CA_FILE":        string(ca.CertPEM()), "KUBERNETES_CA_FILE": string(ca.CertPEM()),
		"OIDC_JWKS_FILE": `{"keys":[{"kty":"EC","crv":"P-256","kid":"k","alg":"ES256",` +
			`"x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY","y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}]}`,
		"KUBERNETES_TOKEN_FILE": "token\n", "OIDC_1_DISCOVERY_TOKEN_FILE": "token\n", "RUNNER_NAME_FILE": "runner\n",
	}
	for variable, name := range map[string]string{"TLS_CERT_FILE": "server.pem", "TLS_KEY_FILE": "server-key.pem",
		"TOKENS_FILE": "tokens"} {
		content, err := os.ReadFile(filepath.Join(demo, name))
		if err != nil {
			t.Fatal(err)
		}
		contents[variable] = string(content)
	}
	for _, v := range fileVariables() {
		if err := os.WriteFile(filepath.Join(dir, v.name), []byte(contents[v.name]), 0o600); err != nil {
			t.Fatal(err)
		}
		environ = append(environ, config.Prefix+v.name+"="+filepath.Join(dir, v.name))
	}
	for _, entry := range []string{"OIDC_ISSUER_URL=https://id.example", "OIDC_AUDIENCE=g", "OIDC_USERNAME_PREFIX=i:",
		"OIDC_GROUPS_PREFIX=i:", "OIDC_1_ISSUER_URL=https://two.example", "OIDC_1_AUDIENCE=g",
		"OIDC_1_USERNAME_PREFIX=j:", "OIDC_1_GROUPS_PREFIX=j:", "KUBERNETES_AUTH=tokenreview",
		"KUBERNETES_API_URL=https://api.example",
		"METRICS_ALLOW=token:prometheus"} {
		environ = append(environ, config.Prefix+entry)
	}
	return dir, environ
}

// blamed builds a gate and lists the variables that its errors name.
func blamed(t *testing.T, environ []string) (things []string) {
	t.Helper()
	c, err := config.Load(environ)
	if err == nil {
		_, err = New(c, slog.New(slog.DiscardHandler), "test", prometheus.NewRegistry())
	}
	if err == nil {
		return nil
	}
	for _, report := range cli.ErrorReports(err) {
		things = append(things, strings.TrimPrefix(report.Thing, config.Prefix))
		if report.Thing == "" || strings.Contains(report.Wrong, "\n") {
			t.Errorf("%+v", report)
		}
	}
	slices.Sort(things)
	return things
}

// A file that cannot be used is blamed on its variable and on no other.
func TestEachFileIsBlamedOnItsVariable(t *testing.T) {
	for fault, spoil := range map[string]func(path string, v fileVariable) (applies bool, err error){
		"none": nil,
		"missing": func(path string, _ fileVariable) (bool, error) {
			return true, os.Remove(path)
		},
		"a directory": func(path string, _ fileVariable) (bool, error) {
			_ = os.Remove(path)
			return true, os.Mkdir(path, 0o700)
		},
		"a named pipe": func(path string, _ fileVariable) (bool, error) {
			_ = os.Remove(path)
			return true, syscall.Mkfifo(path, 0o600)
		},
		"empty": func(path string, _ fileVariable) (bool, error) {
			return true, os.Truncate(path, 0)
		},
		"garbage": func(path string, _ fileVariable) (bool, error) {
			return true, os.WriteFile(path, []byte("\x00garbage -----BEGIN\n"), 0o600)
		},
		"too large": func(path string, _ fileVariable) (bool, error) {
			return true, os.Truncate(path, 1<<31)
		},
		"others may write": func(path string, v fileVariable) (bool, error) {
			return !v.public, os.Chmod(path, 0o602)
		},
		"others may read": func(path string, v fileVariable) (bool, error) {
			return v.secret, os.Chmod(path, 0o604)
		},
	} {
		t.Run(fault, func(t *testing.T) {
			for _, v := range fileVariables() {
				dir, environ := everyFile(t)
				var want []string
				if spoil != nil {
					applies, err := spoil(filepath.Join(dir, v.name), v)
					if err != nil {
						t.Fatal(err)
					}
					if applies {
						want = []string{v.name}
					}
				}
				if got := blamed(t, environ); !slices.Equal(got, want) {
					t.Errorf("%s: blamed %q, want %q", v.name, got, want)
				}
			}
		})
	}
}

// Three files that are missing are three errors, whoever reads them.
func TestAllFilesAreBlamedAtOnce(t *testing.T) {
	for _, want := range [][]string{
		{"TLS_CERT_FILE", "TLS_CLIENT_CA_FILE", "TLS_KEY_FILE"},
		{"OIDC_JWKS_FILE", "TLS_CLIENT_CRL_FILE", "TOKENS_FILE"},
		{"KUBERNETES_CA_FILE", "OIDC_CA_FILE", "RUNNER_NAME_FILE"},
		{"OIDC_CA_FILE", "OIDC_JWKS_FILE", "TLS_KEY_FILE"},
	} {
		dir, environ := everyFile(t)
		for _, name := range want {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		if got := blamed(t, environ); !slices.Equal(got, want) {
			t.Errorf("blamed %q, want %q", got, want)
		}
	}
}

// Every variable that names a file is tried above.
func TestEveryFileVariableIsListed(t *testing.T) {
	for _, v := range config.Declared() {
		name := strings.TrimPrefix(v.Name, config.Prefix)
		listed := slices.ContainsFunc(
			fileVariables(),
			func(f fileVariable) bool { return strings.Replace(f.name, "_1_", "_", 1) == name },
		)
		if strings.HasSuffix(name, "_FILE") != listed {
			t.Errorf("%s: listed %v", name, listed)
		}
	}
}
