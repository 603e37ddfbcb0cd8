package client

import (
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
)

// Each file of a client that cannot be used is blamed on its flag, with its path.
func TestFilesAreBlamedOnTheirFlags(t *testing.T) {
	dir := t.TempDir()
	if err := demofiles.Write(dir); err != nil {
		t.Fatal(err)
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	for name, content := range map[string]string{"empty": "", "garbage": "-----BEGIN", "two words": "a b\n"} {
		if err := os.WriteFile(file(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ca, cert, key, token := file("ca.pem"), file("client.pem"), file("client-key.pem"), file("token")
	for _, test := range []struct {
		c     Credentials
		blame string // empty: good
	}{
		{Credentials{}, ""},
		{Credentials{CA: ca, Cert: cert, Key: key, TokenFile: token}, ""},
		{Credentials{CA: file("none")}, "--ca"},
		{Credentials{CA: dir}, "--ca"},
		{Credentials{CA: file("empty")}, "--ca"},
		{Credentials{CA: file("garbage")}, "--ca"},
		{Credentials{CA: key}, "--ca"},
		{Credentials{Cert: file("none"), Key: key}, "--cert"},
		{Credentials{Cert: file("garbage"), Key: key}, "--cert"},
		{Credentials{Cert: cert, Key: file("none")}, "--key"},
		{Credentials{Cert: cert, Key: file("server-key.pem")}, "--cert"},
		{Credentials{TokenFile: file("none")}, "--token-file"},
		{Credentials{TokenFile: file("empty")}, "--token-file"},
		{Credentials{TokenFile: file("two words")}, "--token-file"},
	} {
		_, err := test.c.Transport()
		if err == nil {
			_, err = test.c.token()
		}
		var wrong *cli.ConfigError
		if (test.blame == "") != (err == nil) ||
			(err != nil && (!errors.As(err, &wrong) || wrong.Thing != test.blame)) {
			t.Errorf("%+v: %v, want %s", test.c, err, test.blame)
		}
		if wrong != nil && (!strings.HasPrefix(wrong.Value, dir) || strings.Contains(wrong.Wrong, wrong.Value)) {
			t.Errorf("%+v: value %q, wrong %q", test.c, wrong.Value, wrong.Wrong)
		}
	}
}

// A certificate goes with its key, and a token alone is enough.
func TestValidateCredentials(t *testing.T) {
	for _, test := range []struct {
		args  string
		good  bool
		given bool
	}{
		{"", true, false}, {"--ca a", true, false}, {"--token-file t", true, true}, {"--cert c --key k", true, true},
		{"--cert c", false, true}, {"--key k", false, false}, {"--cert c --token-file t", false, true},
	} {
		var c Credentials
		set := flag.NewFlagSet("", flag.ContinueOnError)
		c.RegisterFlags(set)
		if err := set.Parse(strings.Fields(test.args)); err != nil {
			t.Fatal(err)
		}
		err := c.Validate("doctor")
		var wrong *cli.ConfigError
		if (err == nil) != test.good || (err != nil && (!errors.As(err, &wrong) || wrong.Thing != "doctor")) ||
			c.Given() != test.given {
			t.Errorf("%s: %v, given %v", test.args, err, c.Given())
		}
	}
}

// An answer over its limit is an error, and a redirect is an answer that is not followed.
func TestFetchIsBoundedAndFollowsNothing(t *testing.T) {
	var agent string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		agent = r.Header.Get("User-Agent")
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "/else", http.StatusFound)
			return
		}
		_, _ = w.Write([]byte("0123456789"))
	}))
	defer server.Close()
	for _, test := range []struct {
		path   string
		limit  int64
		status int
		good   bool
	}{{"/", 10, 200, true}, {"/", 9, 200, false}, {"/", 0, 200, false}, {"/away", 100, 302, true}} {
		response, body, err := Fetch(t.Context(), New(0), Request{server.URL + test.path, "gate/1", test.limit})
		if (err == nil) != test.good || response.StatusCode != test.status || agent != "gate/1" {
			t.Errorf("%s %d: %v %q by %s", test.path, test.limit, err, body, agent)
		}
	}
	if _, _, err := Fetch(t.Context(), New(0), Request{URL: "http://bad host/"}); err == nil {
		t.Error("no URL, and no error")
	}
	for _, url := range []string{"http://127.0.0.1:9/metrics?token=pa55", "http://bad host/?token=pa55"} {
		_, _, err := Fetch(t.Context(), New(0), Request{URL: url})
		if err == nil || strings.Contains(err.Error(), "pa55") {
			t.Errorf("%v", err)
		}
	}
}

// The token is read again for each request, so a rotated one counts at once.
func TestTokenIsReadForEachRequest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Authorization")
	}))
	defer server.Close()
	c := New(0)
	c.Transport = TokenTransport{c.Transport, &Credentials{TokenFile: file, Plain: true}}
	for _, token := range []string{"mg_one", "mg_two"} {
		if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := Fetch(t.Context(), c, Request{URL: server.URL, Limit: 1})
		if err != nil || got != "Bearer "+token {
			t.Errorf("%v %s, want %s", err, got, token)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Fetch(t.Context(), c, Request{URL: server.URL, Limit: 1}); err == nil {
		t.Error("sent without the token")
	}
}
