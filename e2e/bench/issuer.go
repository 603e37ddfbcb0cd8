package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// issuer mints tokens. Its keys are in a file.
type issuer struct {
	url, keys string
	elliptic  *ecdsa.PrivateKey
	rsa       *rsa.PrivateKey
	minted    int
}

func newIssuer(dir string) (*issuer, error) {
	i := &issuer{url: "https://issuer.bench.example", keys: filepath.Join(dir, "jwks.json")}
	var err error
	if i.elliptic, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	if i.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return nil, err
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: i.elliptic.Public(), KeyID: "ES256", Algorithm: "ES256", Use: "sig"},
		{Key: i.rsa.Public(), KeyID: "RS256", Algorithm: "RS256", Use: "sig"},
	}})
	if err != nil {
		return nil, err
	}
	return i, os.WriteFile(i.keys, set, 0o600)
}

// environ makes the gate trust i.
func (i *issuer) environ() []string {
	const prefix = "METRICS_GATE_OIDC_"
	return []string{prefix + "ISSUER_URL=" + i.url, prefix + "AUDIENCE=metrics", prefix + "JWKS_FILE=" + i.keys}
}

// mint returns a new token, like one of the client credentials grant.
func (i *issuer) mint(algorithm string) (string, error) {
	i.minted++
	now := time.Now().Unix()
	header, err := json.Marshal(map[string]any{"alg": algorithm, "kid": algorithm, "typ": "JWT"})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{"iss": i.url, "aud": []string{"metrics"}, "sub": "bench", "iat": now,
		"nbf": now,
		"exp": now + 3600, "jti": i.minted, "groups": []string{"monitoring", "platform"}})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	digest := sha256.Sum256([]byte(text))
	signature, err := i.sign(algorithm, digest[:])
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), err
}

func (i *issuer) sign(algorithm string, digest []byte) ([]byte, error) {
	if algorithm == "RS256" {
		return rsa.SignPKCS1v15(rand.Reader, i.rsa, crypto.SHA256, digest)
	}
	r, s, err := ecdsa.Sign(rand.Reader, i.elliptic, digest)
	if err != nil {
		return nil, err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signature, nil
}
