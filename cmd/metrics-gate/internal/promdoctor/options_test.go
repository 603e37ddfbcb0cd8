package promdoctor

import (
	"encoding/pem"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// parse reads flags as the command doctor does.
func parse(t *testing.T, args ...string) Options {
	t.Helper()
	var o Options
	set := flag.NewFlagSet("doctor", flag.ContinueOnError)
	o.RegisterFlags(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestOptionsThatContradict(t *testing.T) {
	const url = "--prometheus=http://localhost:9090"
	for _, test := range []struct {
		args  []string
		thing string // of the error; empty: none
	}{
		{nil, ""},
		{[]string{url}, ""},
		{[]string{"--prometheus=https://example.com/prometheus/", "--prometheus-token-file=token"}, ""},
		{[]string{"--prometheus-ca=ca.pem"}, "--prometheus-…"},
		{[]string{"--prometheus=localhost:9090"}, ""},
		{[]string{"--prometheus=ftp://localhost"}, "--prometheus"},
		{[]string{"--prometheus=mg_token"}, "--prometheus"},
		{[]string{"--prometheus=user:password@localhost:9090"}, "--prometheus"},
		{[]string{"--prometheus=http://user:password@localhost"}, "--prometheus"},
		{[]string{"--prometheus=https://localhost/?token=password@"}, "--prometheus"},
		{[]string{url, "--prometheus-cert=cert.pem"}, "--prometheus-cert"},
		{[]string{url, "--prometheus-token-file=a", "--prometheus-basic-file=b"}, "--prometheus-basic-file"},
	} {
		o := parse(t, test.args...)
		err := o.Validate()
		var wrong *cli.ConfigError
		if errors.As(err, &wrong) != (test.thing != "") || (wrong != nil && wrong.Thing != test.thing) {
			t.Errorf("%v: %v, want an error of %q", test.args, err, test.thing)
		}
		if err != nil && strings.Contains(err.Error(), "password@") {
			t.Errorf("%v shows the password", err)
		}
	}
}

// A secret in the place of a file's name is not shown.
func TestFilesHideSecrets(t *testing.T) {
	for _, file := range []string{"basic-file=mg_pa55", "token-file=mg_pa55", "ca=mg_pa55", "basic-file=me:pa55"} {
		for _, url := range []string{"http://localhost:9090", "https://localhost:9090"} {
			o := parse(t, "--prometheus="+url, "--prometheus-"+file)
			if _, err := o.httpClient(); err == nil || strings.Contains(err.Error(), "pa55") {
				t.Errorf("%s %s: %v", url, file, err)
			}
		}
	}
}

func TestPrometheusByHostAndPort(t *testing.T) {
	for given, want := range map[string]string{"localhost:9090": "http://localhost:9090", "prom": "http://prom:9090",
		"[::1]:1/prefix": "http://[::1]:1/prefix", "https://prom": "https://prom"} {
		o := parse(t, "--prometheus", given)
		if err := o.Validate(); err != nil || o.URL != want {
			t.Errorf("%s: %s %v, want %s", given, o.URL, err, want)
		}
	}
}

func TestOptionsNameTheFlagOfABadFile(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad")
	if err := os.WriteFile(bad, []byte("no colon\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"--prometheus-ca", "--prometheus-basic-file", "--prometheus-token-file"} {
		o := parse(t, "--prometheus=http://127.0.0.1:1", name+"="+bad)
		found := Examine(t.Context(), o, Gate{}, "test")
		if len(found) != 1 || found[0].Level != cli.LevelFail || !strings.Contains(found[0].What, name+" ") {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

func TestOptionsAuthenticate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "credential")
	if err := os.WriteFile(file, []byte("prober:secret:word\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var got http.Header
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"--prometheus-basic-file": "Basic cHJvYmVyOnNlY3JldDp3b3Jk",
		"--prometheus-token-file": "Bearer prober:secret:word",
	} {
		o := parse(t, "--prometheus="+server.URL, "--prometheus-ca="+ca, name+"="+file)
		found := Examine(t.Context(), o, Gate{}, "probe/1")
		if got.Get("Authorization") != want || got.Get("User-Agent") != "probe/1" {
			t.Errorf("%s: %v", name, got)
		}
		if len(found) != 1 || !strings.Contains(found[0].What, "401") || !strings.Contains(found[0].Do, name) {
			t.Errorf("%s: %+v", name, found)
		}
		for _, url := range []string{"http://prometheus.invalid", "http://localhost:9"} {
			clear := Examine(t.Context(), parse(t, "--prometheus="+url, name+"="+file), Gate{}, "")
			if len(clear) != 1 || !strings.Contains(clear[0].What, name+" ") ||
				!strings.Contains(clear[0].What, "not sent over plain HTTP") ||
				!strings.Contains(clear[0].Do, "write https://") || strings.Contains(clear[0].What, "secret") {
				t.Errorf("%s %s: %+v", url, name, clear)
			}
		}
	}
}
