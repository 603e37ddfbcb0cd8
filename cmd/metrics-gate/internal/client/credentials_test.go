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

// A token goes over plain HTTP to this machine's loopback alone, and only where the settings of the gate
// have INSECURE_HTTP.
func TestTokensAreNotSentInTheClear(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("mg_token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		url         string
		sent, plain bool // with settings that have INSECURE_HTTP: plain
	}{
		{"https://gate.example/", true, true}, {"http://localhost/", false, true}, {"http://127.0.0.1:1/", false, true},
		{"http://[::1]/?token=hidden", false, true}, {"http://gate.example/?token=hidden", false, false},
		{"http://192.0.2.1/metrics", false, false},
	} {
		for plain, sent := range map[bool]bool{false: test.sent, true: test.plain} {
			c := &Credentials{TokenFile: file, Plain: plain}
			r, err := http.NewRequest(http.MethodGet, test.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.authorize(r); (err == nil) != sent || (r.Header.Get("Authorization") != "") != sent ||
				(err != nil && strings.Contains(err.Error(), "hidden")) {
				t.Errorf("%s, INSECURE_HTTP %v: %v %v", test.url, plain, err, r.Header)
			}
		}
	}
	c := &Credentials{TokenFile: file}
	for target, want := range map[string]string{
		"http://127.0.0.1/": "give the settings", "http://192.0.2.1/": "own machine", "http://127.1/": "127.0.0.1",
	} {
		if got := cli.ErrorReports(c.CheckPlain(target))[0].Advice; !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
	if err := new(Credentials).CheckPlain("http://gate.example/"); err != nil {
		t.Errorf("no token, and %v", err)
	}
}

// A gate on 127.0.0.1 leaves the same port of [::1] to every user of the machine.
func TestTokenForLocalhostGoesToIPv4(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("mg_token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &Credentials{TokenFile: file, Plain: true}
	for target, want := range map[string]string{
		"http://localhost:9253/": "http://127.0.0.1:9253/", "http://localhost/x": "http://127.0.0.1/x",
		"http://[::1]:9253/": "http://[::1]:9253/", "https://localhost:9253/": "https://localhost:9253/",
	} {
		r, err := http.NewRequest(http.MethodGet, target, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.authorize(r); err != nil || r.URL.String() != want {
			t.Errorf("%s: %s, want %s: %v", target, r.URL, want, err)
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
