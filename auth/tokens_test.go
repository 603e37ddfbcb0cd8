package auth

import (
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// tokensFile writes content into a file only its owner can read.
func tokensFile(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newToken(t testing.TB, name string) (secret, line string) {
	t.Helper()
	secret, line, err := NewToken(name)
	if err != nil {
		t.Fatal(err)
	}
	return secret, line
}

func TestTokens(t *testing.T) {
	a, lineA := newToken(t, "prometheus")
	b, lineB := newToken(t, "team/grafana")
	tokens, err := LoadTokens(tokensFile(t, "# ours\n"+lineA+"\n\n"+lineB+" # theirs\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if tokens.Len() != 2 {
		t.Fatalf("%d tokens, want 2", tokens.Len())
	}
	id, err := tokens.Authenticate(request("Bearer " + a))
	want := Identity{
		Method:  MethodToken,
		Subject: "token:prometheus",
		Names:   []string{"token:prometheus"},
		User:    "token:prometheus",
		Digest:  strings.TrimPrefix(lineA, "prometheus sha256:")[:8],
	}
	if err != nil || !reflect.DeepEqual(id, want) {
		t.Fatalf("identity %+v, %v", id, err)
	}
	if id, err := tokens.Authenticate(request("Bearer " + b)); err != nil || id.Subject != "token:team/grafana" {
		t.Fatalf("second token: %+v, %v", id, err)
	}
}

func TestTokensRefuse(t *testing.T) {
	secret, line := newToken(t, "prometheus")
	tokens, err := LoadTokens(tokensFile(t, line))
	if err != nil {
		t.Fatal(err)
	}
	sum := digest(secret)
	for _, test := range []struct {
		name, token string
		next        bool // another authenticator may know it
	}{
		{"foreign", "eyJhbGciOiJFUzI1NiJ9.e30.AA", true},
		{"own, unknown", "mg_AAAA", false},
		{"cut off", secret[:len(secret)-1], false},
		{"with more", secret + "A", false},
		{"padded", secret + "=", false},
		{"upper case", strings.ToUpper(secret), true},
		{"without prefix", strings.TrimPrefix(secret, TokenPrefix), true},
		{"its digest", hex.EncodeToString(sum[:]), true},
		{"its name", "prometheus", true},
	} {
		_, err := tokens.Authenticate(request("Bearer " + test.token))
		if err == nil || errors.Is(err, ErrNoCredential) != test.next {
			t.Errorf("%s: %v; another may know it: %v", test.name, err, test.next)
		}
		if err != nil && strings.Contains(err.Error(), test.token) {
			t.Errorf("%s: the error shows the token: %v", test.name, err)
		}
	}
	if _, err := tokens.Authenticate(request("Basic eDp5")); !errors.Is(err, ErrBadAuthorization) {
		t.Errorf("another scheme: %v", err)
	}
}

func TestTokensReload(t *testing.T) {
	a, lineA := newToken(t, "a")
	b, lineB := newToken(t, "b")
	path := tokensFile(t, lineA+"\n")
	tokens, err := LoadTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name, content string
		mode          os.FileMode
		changed, bad  bool
		a, b          bool
	}{
		{"same", lineA + "\n", 0o600, false, false, true, false},
		{"added", lineA + "\n" + lineB + "\n", 0o640, true, false, true, true},
		{"torn", lineA + "\n" + lineB[:20], 0o600, false, true, true, true},
		{"emptied", "", 0o600, false, true, true, true},
		{"readable by others", lineB + "\n", 0o644, false, true, true, true},
		{"replaced", lineB + "\n", 0o600, true, false, false, true},
		{"revoked", "# nobody\n", 0o600, true, false, false, false},
		{"back", lineA, 0o600, true, false, true, false},
	} {
		// A new file renamed over the old one, as editors and Kubernetes do it.
		fresh := path + ".new"
		if err := errors.Join(os.WriteFile(fresh, []byte(step.content), 0o600), os.Chmod(fresh, step.mode),
			os.Rename(fresh, path)); err != nil {
			t.Fatal(err)
		}
		changed, err := tokens.Reload()
		if changed != step.changed || (err != nil) != step.bad {
			t.Fatalf("%s: changed %v, %v", step.name, changed, err)
		}
		_, errA := tokens.Authenticate(request("Bearer " + a))
		_, errB := tokens.Authenticate(request("Bearer " + b))
		if (errA == nil) != step.a || (errB == nil) != step.b {
			t.Fatalf("%s: a %v, b %v", step.name, errA, errB)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := tokens.Reload(); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("removed file: %v", err)
	}
}

func TestNewToken(t *testing.T) {
	secret, line := newToken(t, "prometheus")
	if !strings.HasPrefix(secret, "mg_") || len(secret) != len("mg_")+43 || !isB64Token(secret) {
		t.Errorf("secret of %d characters", len(secret))
	}
	sum := digest(secret)
	if want := "prometheus sha256:" + hex.EncodeToString(sum[:]); line != want {
		t.Errorf("line %q, want %q", line, want)
	}
	if other, _ := newToken(t, "prometheus"); other == secret {
		t.Error("twice the same")
	}
	for _, name := range []string{"", "a b", "a,b", "a#b", "a*", "é", "a\n", "mg_abc", "sha256:00",
		strings.Repeat("a", 129)} {
		if secret, line, err := NewToken(name); err == nil || secret != "" || line != "" {
			t.Errorf("name %q: %q, %v", name, line, err)
		}
	}
}
