package auth

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"
)

func issuerFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/issuer/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// fileKey is the key whose public half is k1 in the key sets of testdata/issuer.
func fileKey(t testing.TB) *signKey {
	t.Helper()
	block, _ := pem.Decode(issuerFile(t, "signing.key"))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return &signKey{kid: "k1", alg: "RS256", private: key.(crypto.Signer)}
}

// fileClaims are the claims of a file, with its issuer, audience and times made those of f.
func (f *oidcFixture) fileClaims(t testing.TB, name string) object {
	t.Helper()
	var claims object
	if err := json.Unmarshal(issuerFile(t, name), &claims); err != nil {
		t.Fatal(err)
	}
	now := f.clock.Now().Unix()
	claims["iss"], claims["aud"], claims["iat"], claims["exp"] = f.issuer.URL, "gate", now, now+300
	return claims
}

// logged returns an option that makes an OIDC log into the buffer.
func logged(log *bytes.Buffer) func(*OIDCOptions) {
	return func(o *OIDCOptions) { o.Log = slog.New(slog.NewTextHandler(log, nil)) }
}

func TestKeySetFiles(t *testing.T) {
	for _, test := range []struct {
		file string
		good bool
		log  string // part of the log
	}{
		{"keys-good.json", true, ""},
		{"keys-x5c-garbage.json", true, ""},
		{"keys-x5c-negative-serial.json", true, ""},
		{"keys-x5c-garbage-in-second.json", true, ""},
		{"keys-bom.json", true, ""},
		{"keys-padded.json", false, "member n is not base64url without padding"},
	} {
		var log bytes.Buffer
		f := newOIDCFixture(t, logged(&log))
		f.issuer.publish(issuerFile(t, test.file))
		_, err := f.try(fileKey(t).token(t, f.fileClaims(t, "claims-good.json")))
		if (err == nil) != test.good || err != nil && !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: %v", test.file, err)
		}
		if !strings.Contains(log.String(), test.log) || (test.log == "") != (log.Len() == 0) {
			t.Errorf("%s: log %q, want %q", test.file, log.String(), test.log)
		}
	}
}

func TestNewKeyUnderAKnownKid(t *testing.T) {
	f := newOIDCFixture(t, nil)
	old, replaced := fileKey(t), newRSAKey(t, "k1", 2048)
	f.issuer.publish(issuerFile(t, "keys-good.json"))
	claims := f.fileClaims(t, "claims-good.json")
	oldToken, newToken := old.token(t, claims), replaced.token(t, claims)
	if _, err := f.try(oldToken); err != nil {
		t.Fatal(err)
	}
	f.issuer.publish(jwkSet(t, replaced))
	if _, err := f.try(newToken); !errors.Is(err, errSignature) {
		t.Errorf("within the interval: %v, want %v", err, errSignature)
	}
	f.clock.Advance(10 * time.Second)
	if _, err := f.try(newToken); err != nil {
		t.Errorf("after the interval: %v", err)
	}
	if n := f.issuer.fetched.Load(); n != 2 {
		t.Errorf("keys fetched %d times, want twice", n)
	}
	if _, err := f.try(oldToken); !errors.Is(err, errSignature) {
		t.Errorf("withdrawn key: %v, want %v", err, errSignature)
	}
	// The issuer down: a bad signature under a known kid is not its fault.
	f.issuer.down()
	f.clock.Advance(time.Minute)
	if _, err := f.try(oldToken); !errors.Is(err, errSignature) || errors.Is(err, ErrUnavailable) {
		t.Errorf("withdrawn key, issuer down: %v", err)
	}
}

// A key of another type under a known kid is a new key too.
func TestNewKeyTypeUnderAKnownKid(t *testing.T) {
	f := newOIDCFixture(t, nil)
	if _, err := f.try(f.good(t)); err != nil {
		t.Fatal(err)
	}
	next := newRSAKey(t, "k1", 2048)
	f.issuer.publish(jwkSet(t, next))
	f.clock.Advance(time.Minute)
	if _, err := f.try(next.token(t, f.claims(nil))); err != nil {
		t.Error(err)
	}
}

func TestUnusableKeysAreLoggedOnceAChange(t *testing.T) {
	var log bytes.Buffer
	f := newOIDCFixture(t, logged(&log))
	weak := newRSAKey(t, "weak", 1024)
	enc := &signKey{kid: "enc", private: f.key.private, extra: object{"use": "enc"}}
	f.issuer.publish(jwkSet(t, f.key, weak, enc))
	for range 3 {
		if err := f.oidc.keys.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.clock.Advance(time.Minute)
	}
	if n := strings.Count(log.String(), "kid=weak"); n != 1 ||
		!strings.Contains(log.String(), "RSA key of 1024 bits") {
		t.Errorf("weak key logged %d times: %s", n, log.String())
	}
	if strings.Contains(log.String(), "kid=enc") {
		t.Errorf("a key for encryption is no fault: %s", log.String())
	}
	log.Reset()
	f.issuer.publish(jwkSet(t, f.key))
	_ = f.oidc.keys.refresh(t.Context())
	f.clock.Advance(time.Minute)
	f.issuer.publish(jwkSet(t, f.key, weak))
	_ = f.oidc.keys.refresh(t.Context())
	if n := strings.Count(log.String(), "kid=weak"); n != 1 {
		t.Errorf("weak key is back: logged %d times", n)
	}
}

func TestTokenFiles(t *testing.T) {
	f := newOIDCFixture(t, func(o *OIDCOptions) { o.Algorithms = []string{"RS256"} })
	f.issuer.publish(issuerFile(t, "keys-good.json"))
	key := fileKey(t)
	header := string(bytes.TrimSpace(issuerFile(t, "header-typ-jose.json")))
	if _, err := f.try(key.sign(t, "RS256", header, string(mustJSON(t, f.fileClaims(t,
		"claims-good.json"))))); err != nil {
		t.Errorf("typ JOSE: %v", err)
	}
	if _, err := f.try(key.token(t, f.fileClaims(t, "claims-cnf-jkt.json"))); !errors.Is(err, errConfirmation) {
		t.Errorf("cnf.jkt: %v, want %v", err, errConfirmation)
	}
	id, err := f.try(key.token(t, f.fileClaims(t, "claims-group-with-commas.json")))
	if err != nil {
		t.Fatal(err)
	}
	var policy Policy
	if err := policy.UnmarshalText([]byte(`"group:CN=monitoring,OU=Groups,DC=example,DC=test"`)); err != nil {
		t.Fatal(err)
	}
	if _, ok := policy.Allows(id); !ok {
		t.Errorf("%s does not allow %q", policy, id.Groups)
	}
	id, err = f.try(key.token(t, f.fileClaims(t, "claims-groups-left-out.json")))
	if err != nil || len(id.Groups) != 0 || !strings.Contains(id.Omitted, "_claim_names") {
		t.Errorf("groups left out: %q, omitted %q, %v", id.Groups, id.Omitted, err)
	}
}
