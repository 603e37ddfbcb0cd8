package auth

import (
	"crypto/elliptic"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// keyCase is a member of "keys" and whether it may verify tokens.
type keyCase struct {
	key  any
	want bool
}

func keyCases(t *testing.T) map[string]keyCase {
	t.Helper()
	ec, rsa, ed := newECKey(t, "ec"), newRSAKey(t, "rsa", 2048), newEdKey(t, "ed")
	with := func(key *signKey, extra object) object {
		return (&signKey{key.kid, key.alg, key.private, extra}).jwk(t)
	}
	private := func(key *signKey) object {
		data, err := jose.JSONWebKey{Key: key.private, KeyID: key.kid}.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		obj, err := parseObject(data)
		if err != nil {
			t.Fatal(err)
		}
		return obj
	}
	return map[string]keyCase{
		"EC":                {ec.jwk(t), true},
		"RSA":               {rsa.jwk(t), true},
		"Ed25519":           {ed.jwk(t), true},
		"use absent":        {with(ec, object{"use": nil}), true},
		"use enc":           {with(ec, object{"use": "enc"}), false},
		"use empty":         {with(ec, object{"use": ""}), false},
		"use number":        {with(ec, object{"use": 1}), false},
		"key_ops verify":    {with(ec, object{"key_ops": []any{"sign", "verify"}}), true},
		"key_ops sign":      {with(ec, object{"key_ops": []any{"sign"}}), false},
		"key_ops empty":     {with(ec, object{"key_ops": []any{}}), false},
		"key_ops string":    {with(ec, object{"key_ops": "verify"}), false},
		"alg":               {with(ec, object{"alg": "ES256"}), true},
		"alg of another":    {with(ec, object{"alg": "RS256"}), false},
		"alg unconfigured":  {with(rsa, object{"alg": "RS512"}), false},
		"alg encryption":    {with(rsa, object{"alg": "RSA-OAEP"}), false},
		"alg HMAC":          {with(ec, object{"alg": "HS256"}), false},
		"P-384":             {newCurveKey(t, "p", "ES384", elliptic.P384()).jwk(t), false},
		"RSA 1024":          {newRSAKey(t, "weak", 1024).jwk(t), false},
		"RSA 16384":         {with(rsa, object{"n": strings.Repeat("_", 2731)}), false},
		"RSA exponent 1":    {with(rsa, object{"e": "AQ"}), false},
		"RSA exponent even": {with(rsa, object{"e": "BA"}), false},
		"symmetric":         {object{"kty": "oct", "kid": "o", "k": "c2VjcmV0"}, false},
		"private EC":        {private(ec), false},
		"private RSA":       {private(rsa), false},
		"private Ed25519":   {private(ed), false},
		"X25519":            {with(ed, object{"crv": "X25519"}), false},
		"Ed25519 short":     {with(ed, object{"x": "AAAA"}), false},
		"off the curve":     {with(ec, object{"x": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"}), false},
		"no kty":            {with(ec, object{"kty": nil}), false},
		"unknown kty":       {object{"kty": "PQC", "kid": "q"}, false},
		"kid number":        {with(ec, object{"kid": 5}), false},
		"no kid":            {with(ec, object{"kid": nil}), true},
		"not an object":     {"key", false},
	}
}

func TestParseKeyringAdmitsKeys(t *testing.T) {
	for name, test := range keyCases(t) {
		_, err := parseKeyring(mustJSON(t, object{"keys": []any{test.key}}), []string{"RS256", "ES256", "EdDSA"},
			time.Time{})
		if (err == nil) != test.want {
			t.Errorf("%s: %v, want admitted: %v", name, err, test.want)
		}
		// One bad key never costs the good ones.
		ring, err := parseKeyring(mustJSON(t, object{"keys": []any{test.key, newECKey(t, "good").jwk(t)}}),
			[]string{"ES256"}, time.Time{})
		if err != nil || len(ring.keys) < 1 {
			t.Errorf("%s with a good key: %v", name, err)
		}
	}
}

func TestParseKeyringRefusesSets(t *testing.T) {
	key := string(mustJSON(t, newECKey(t, "k").jwk(t)))
	for _, data := range []string{
		``, `null`, `[]`, `{}`, `{"keys":null}`, `{"keys":{}}`, `{"keys":[]}`, `{"Keys":[` + key + `]}`, `<html>`,
		`{"keys":[` + key + `],"keys":[]}`, `{"keys":[` + key + `]}x`,
		`{"keys":[` + key + strings.Repeat(","+key, maxKeys) + `]}`,
		`{"keys":[` + strings.Replace(key, `"kid"`, `"kid":"x","kid"`, 1) + `]}`,
	} {
		_, err := parseKeyring([]byte(data), []string{"ES256"}, time.Time{})
		if err == nil {
			t.Errorf("accepted %.60s", data)
		} else if strings.Contains(err.Error(), "%!") {
			t.Errorf("%.60s: unreadable error %q", data, err)
		}
	}
}

func TestKeyDigestChangesWithTrust(t *testing.T) {
	key := newRSAKey(t, "k", 2048)
	seen := map[[32]byte]string{}
	for name, extra := range map[string]object{"plain": {}, "kid": {"kid": "other"}, "no kid": {"kid": nil},
		"alg": {"alg": "RS256"}} {
		ring, err := parseKeyring(jwkSet(t, &signKey{"k", "RS256", key.private, extra}), []string{"RS256"}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		digest := ring.keys[0].digest
		if other, twice := seen[digest]; twice || !ring.has(digest) {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[digest] = name
	}
	if (*keyring)(nil).has([32]byte{}) {
		t.Error("no ring has a key")
	}
}

func TestKeyringChoosesKeys(t *testing.T) {
	a, b, bare, bare2 := newECKey(t, "a"), newECKey(t, "b"), newECKey(t, ""), newECKey(t, "")
	twin := newECKey(t, "a") // two keys of one kid: RFC 7517 section 4.5 allows it
	sets := map[string][]*signKey{"a b": {a, b}, "a twin": {a, twin}, "bare": {bare, bare2}, "a bare": {a, bare}}
	tests := []struct {
		set  string
		key  *signKey
		kid  string
		want error
	}{
		{
			"a b",
			a,
			"a",
			nil,
		}, {"a b", a, "b", errSignature}, {"a b", a, "c", errNoKey}, {"a b", a, "", nil}, {"a b", b, "", nil},
		{"a b", twin, "", errNoKey}, {"a b", twin, "a", errSignature},
		{"a twin", a, "a", nil}, {"a twin", twin, "a", nil},
		{"bare", bare, "", nil}, {"bare", bare2, "", nil}, {"bare", bare2, "x", nil}, {"bare", a, "x", errNoKey},
		{"a bare", a, "x", errNoKey}, {"a bare", bare, "x", nil}, {"a bare", bare, "a", errSignature},
	}
	for _, test := range tests {
		ring, err := parseKeyring(jwkSet(t, sets[test.set]...), []string{"ES256"}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		token, err := parseJWT(test.key.sign(t, "ES256", `{"alg":"ES256"}`, `{}`))
		if err != nil {
			t.Fatal(err)
		}
		token.alg, token.kid = "ES256", test.kid
		key, err := ring.verify(token)
		if !errors.Is(err, test.want) || (key == nil) != (err != nil) {
			t.Errorf("%s: kid %q: %v, want %v", test.set, test.kid, err, test.want)
		}
	}
	many := make([]*signKey, maxKeys)
	for i := range many {
		many[i] = &signKey{kid: fmt.Sprint(i), private: a.private}
	}
	if ring, err := parseKeyring(jwkSet(t, many...), []string{"ES256"}, time.Time{}); err != nil ||
		len(ring.keys) != maxKeys {
		t.Errorf("%d keys: %v", maxKeys, err)
	}
}
