package client

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
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
