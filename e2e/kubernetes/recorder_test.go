package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const signature = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"

func TestWithoutSignatures(t *testing.T) {
	token := "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0." + signature
	for _, head := range []string{"Content-Length: 999", "Transfer-Encoding: chunked"} {
		message := "HTTP/1.1 200 OK\r\n" + head + "\r\nX: Bearer " + token + "\r\n\r\n{\"token\":\"" + token + "\"}"
		short := withoutSignatures([]byte(message))
		if bytes.Contains(short, []byte(signature)) {
			t.Errorf("a signature stayed: %s", short)
		}
		response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(short)), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if want := `{"token":"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"}`; err != nil || string(body) != want {
			t.Errorf("%s: %s, %v", head, body, err)
		}
	}
}

// TestRecordingsHoldNoSignature reads what was recorded.
func TestRecordingsHoldNoSignature(t *testing.T) {
	paths, err := filepath.Glob("../../auth/testdata/kubernetes/*.re*")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(content, withoutSignatures(content)) {
			t.Errorf("%s: a signature, or a length that does not fit", path)
		}
	}
}

func TestExpire(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"iat":10000,"nbf":10000,"exp":10600,"sub":"a"}`))
	old, err := expire("eyJh."+claims+"."+signature, path)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(old, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(payload, &got); err != nil || got["exp"] != 3400.0 || got["iat"] != 2800.0 ||
		got["sub"] != "a" {
		t.Errorf("claims %v, %v", got, err)
	}
	if changed := tamper(old); changed == old || len(changed) != len(old) ||
		!strings.HasPrefix(changed, old[:strings.LastIndexByte(old, '.')]) {
		t.Errorf("tampered %s of %s", changed, old)
	}
}
