package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// signKey is a private key and the members of its JWK.
type signKey struct {
	kid, alg string
	private  crypto.Signer
	extra    object // further members of its JWK
}

func newECKey(t testing.TB, kid string) *signKey {
	t.Helper()
	return newCurveKey(t, kid, "ES256", elliptic.P256())
}

func newCurveKey(t testing.TB, kid, alg string, curve elliptic.Curve) *signKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &signKey{kid: kid, alg: alg, private: key}
}

func newRSAKey(t testing.TB, kid string, bits int) *signKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return &signKey{kid: kid, alg: "RS256", private: key}
}

func newEdKey(t testing.TB, kid string) *signKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &signKey{kid: kid, alg: "EdDSA", private: key}
}

// jwk returns the public key as a JWK; extra members replace others, nil removes.
func (k *signKey) jwk(t testing.TB) object {
	t.Helper()
	data, err := jose.JSONWebKey{Key: k.private.Public(), KeyID: k.kid, Use: "sig"}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var obj object
	if err := json.Unmarshal(data, &obj); err != nil {
		t.Fatal(err)
	}
	maps.Copy(obj, k.extra)
	maps.DeleteFunc(obj, func(_ string, value any) bool { return value == nil })
	return obj
}

func jwkSet(t testing.TB, keys ...*signKey) []byte {
	t.Helper()
	list := []object{}
	for _, key := range keys {
		list = append(list, key.jwk(t))
	}
	return mustJSON(t, object{"keys": list})
}

func mustJSON(t testing.TB, value any) []byte {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// sign makes a compact JWS of exactly these header and payload bytes by alg.
func (k *signKey) sign(t testing.TB, alg, header, payload string) string {
	t.Helper()
	input := b64(header) + "." + b64(payload)
	return input + "." + base64.RawURLEncoding.EncodeToString(k.signature(t, alg, input))
}

func (k *signKey) signature(t testing.TB, alg, input string) []byte {
	t.Helper()
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:]]
	digest := []byte(input)
	if alg != "EdDSA" {
		h := hash.New()
		h.Write(digest)
		digest = h.Sum(nil)
	}
	var sig []byte
	var err error
	switch key := k.private.(type) {
	case *ecdsa.PrivateKey:
		var r, s *big.Int
		if r, s, err = ecdsa.Sign(rand.Reader, key, digest); err == nil {
			size := (key.Params().BitSize + 7) / 8
			sig = append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
		}
	case *rsa.PrivateKey:
		if alg[0] == 'P' {
			sig, err = rsa.SignPSS(rand.Reader, key, hash, digest,
				&rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		} else {
			sig, err = rsa.SignPKCS1v15(nil, key, hash, digest)
		}
	case ed25519.PrivateKey:
		sig = ed25519.Sign(key, digest)
	}
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// token makes an ordinary token of the claims.
func (k *signKey) token(t testing.TB, claims object) string {
	t.Helper()
	header := object{"alg": k.alg, "typ": "JWT"}
	if k.kid != "" {
		header["kid"] = k.kid
	}
	return k.sign(t, k.alg, string(mustJSON(t, header)), string(mustJSON(t, claims)))
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// fakeIssuer is an OpenID provider that can misbehave.
type fakeIssuer struct {
	*httptest.Server
	ca         string // its certificate, as a file
	discovered atomic.Int32
	fetched    atomic.Int32

	mu     sync.Mutex
	keys   []byte
	handle http.HandlerFunc // answers everything instead, if set
}

func newFakeIssuer(t testing.TB, keys ...*signKey) *fakeIssuer {
	t.Helper()
	f := &fakeIssuer{}
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.StartTLS()
	t.Cleanup(f.Close)
	f.ca = filepath.Join(t.TempDir(), "ca.pem")
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw})
	if err := os.WriteFile(f.ca, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f.publish(jwkSet(t, keys...))
	return f
}

// publish replaces the key set.
func (f *fakeIssuer) publish(set []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keys = set
}

// answer sets the handler of all requests; nil restores the good one.
func (f *fakeIssuer) answer(handle http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.handle = handle
}

// down makes everything a 503.
func (f *fakeIssuer) down() {
	f.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
}

func (f *fakeIssuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	discovery := r.URL.Path == "/.well-known/openid-configuration"
	if discovery {
		f.discovered.Add(1)
	} else {
		f.fetched.Add(1)
	}
	f.mu.Lock()
	keys, handle := f.keys, f.handle
	f.mu.Unlock()
	switch {
	case handle != nil:
		handle(w, r)
	case discovery:
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, f.URL, f.URL+"/keys")
	case r.URL.Path == "/keys":
		_, _ = w.Write(keys)
	default:
		http.NotFound(w, r)
	}
}
