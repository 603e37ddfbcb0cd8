package client

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
)

func TestLoopbackNames(t *testing.T) {
	for host, want := range map[string]bool{"localhost": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true,
		"": false, "gate.example": false, "10.0.0.1": false, "localhost.example": false} {
		if got := loopbackName(host); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
}

func TestTokensAreNotSentInTheClear(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("mg_token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &Credentials{TokenFile: file}
	for url, sent := range map[string]bool{
		"http://192.0.2.1/metrics": false, "http://gate.example/": false, "http://127.0.0.1:1/": true,
		"http://localhost/": true, "https://gate.example/": true,
	} {
		r, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.authorize(r); (err == nil) != sent || (r.Header.Get("Authorization") != "") != sent {
			t.Errorf("%s: %v %v", url, err, r.Header)
		}
	}
}

// Each file that cannot be used is named by its flag, before anything is asked.
func TestTransportNamesEveryFile(t *testing.T) {
	dir := t.TempDir()
	if err := demofiles.Write(dir); err != nil {
		t.Fatal(err)
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	for name, content := range map[string]string{"two lines": "a\nb\n", "empty": "", "utf16": "\xff\xfea\x00",
		"bom": "\xef\xbb\xbfmg_token\n"} {
		if err := os.WriteFile(file(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		Credentials
		want []string // "flag: what is wrong" each
	}{
		"good": {Credentials{CA: file("ca.pem"), Cert: file("client.pem"), Key: file("client-key.pem"),
			TokenFile: file("token")}, nil},
		"missing": {Credentials{CA: "/no/ca", Cert: "/no/cert", Key: "/no/key", TokenFile: "/no/token"}, []string{
			"--ca: no such file", "--cert: no such file", "--key: no such file", "--token-file: no such file"}},
		"folders": {Credentials{CA: dir, TokenFile: dir}, []string{"--ca: is a directory",
			"--token-file: is a directory"}},
		"swapped": {Credentials{Cert: file("client-key.pem"), Key: file("client.pem")},
			[]string{"--cert: holds a private key"}},
		"other key": {Credentials{Cert: file("client.pem"), Key: file("server-key.pem")},
			[]string{"--cert: key does not match"}},
		"no CA":           {Credentials{CA: file("token")}, []string{"--ca: no PEM block"}},
		"two tokens":      {Credentials{TokenFile: file("two lines")}, []string{"--token-file: not one token"}},
		"no token":        {Credentials{TokenFile: file("empty")}, []string{"--token-file: not one token"}},
		"UTF-16 token":    {Credentials{TokenFile: file("utf16")}, []string{"--token-file: begins with a UTF-16"}},
		"token with mark": {Credentials{TokenFile: file("bom")}, nil},
	} {
		_, err := test.Transport()
		var reports []cli.ErrorReport
		if err != nil {
			reports = cli.ErrorReports(err)
		}
		if len(reports) != len(test.want) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, r := range reports {
			if got := r.Thing + ": " + r.Wrong; !strings.HasPrefix(got, test.want[i]) || r.Value == "" {
				t.Errorf("%s: %q %s, want %q", name, r.Value, got, test.want[i])
			}
		}
	}
}
