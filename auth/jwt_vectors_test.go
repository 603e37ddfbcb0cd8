package auth

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
)

// As in the Wycheproof vectors "json_web_signature" and "json_web_crypto", each case changes
// one thing of a good token.
func TestOIDCSignatureVectors(t *testing.T) {
	f := newOIDCFixture(t, func(o *OIDCOptions) { o.Algorithms = []string{"ES256", "RS256", "PS256", "EdDSA"} })
	rsa, ed := newRSAKey(t, "rsa", 2048), newEdKey(t, "ed")
	f.issuer.publish(jwkSet(t, f.key, rsa, ed))
	claims := string(mustJSON(t, f.claims(nil)))
	keys := map[string]*signKey{"ES256": f.key, "RS256": rsa, "PS256": rsa, "EdDSA": ed}

	for alg, key := range keys {
		header := `{"alg":"` + alg + `","kid":"` + key.kid + `"}`
		good := key.sign(t, alg, header, claims)
		for _, vectors := range []map[string]string{
			alteredSignatures(t, key, alg, good), alteredForms(good), alteredObjects(t, key, alg, header, claims),
		} {
			for name, token := range vectors {
				if _, err := f.try(token); err == nil {
					t.Errorf("%s: %s: accepted", alg, name)
				}
			}
		}
		head := strings.Index(good, ".")
		for _, at := range []int{0, 5, head, head + 9, len(good)} {
			for _, space := range []string{" ", "\n", "\r\n", "\t"} {
				if parsed, err := parseJWT(good[:at] + space + good[at:]); err == nil && parsed.signature != nil {
					t.Errorf("%s: %q at %d: accepted", alg, space, at)
				}
			}
		}
		if _, err := f.try(good); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

// alteredSignatures are good's header and payload with other signatures.
func alteredSignatures(t *testing.T, key *signKey, alg, good string) map[string]string {
	t.Helper()
	dot := strings.LastIndex(good, ".")
	input, sig := good[:dot], good[dot+1:]
	raw, err := base64.RawURLEncoding.DecodeString(sig)
	if err != nil {
		t.Fatal(err)
	}
	with := func(sig []byte) string { return input + "." + base64.RawURLEncoding.EncodeToString(sig) }
	flipped := slices.Clone(raw)
	flipped[len(flipped)/2] ^= 1
	header, payload, _ := strings.Cut(input, ".")
	decoded := mustDecode(t, header) + "." + mustDecode(t, payload)
	return map[string]string{
		"empty":                    with(nil),
		"absent":                   input,
		"twice":                    good + "." + sig,
		"trailing byte":            with(append(slices.Clone(raw), 0)),
		"leading byte":             with(append([]byte{0}, raw...)),
		"one byte short":           with(raw[:len(raw)-1]),
		"bit flipped":              with(flipped),
		"all zero":                 with(make([]byte, len(raw))),
		"r and s one byte":         with([]byte{1, 1}),
		"ASN.1":                    with(append([]byte{0x30, byte(len(raw))}, raw...)),
		"signature of nothing":     with(key.signature(t, alg, ".")),
		"signature of the payload": with(key.signature(t, alg, payload)),
		"signature of the decoded": with(key.signature(t, alg, decoded)),
		"padding":                  good + "==",
		"standard alphabet": input + "." + base64.RawStdEncoding.EncodeToString(append(raw[:len(raw)-3:len(raw)-3],
			0xfb, 0xff, 0xfe)),
	}
}

func mustDecode(t *testing.T, part string) string {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// alteredForms are good's parts, joined in other ways.
func alteredForms(good string) map[string]string {
	parts := strings.Split(good, ".")
	head, body, sig := parts[0], parts[1], parts[2]
	return map[string]string{
		"empty token":       "",
		"dots only":         "..",
		"no payload":        head + ".." + sig,
		"no header":         "." + body + "." + sig,
		"four parts":        good + ".",
		"empty first part":  "." + good,
		"padding in header": head + "=." + body + "." + sig,
		"header case":       strings.ToLower(head) + "." + body + "." + sig,
		"JSON serialised":   `{"payload":"` + body + `","protected":"` + head + `","signature":"` + sig + `"}`,
	}
}

// alteredObjects are signed well, but their header or claims are wrong.
func alteredObjects(t *testing.T, key *signKey, alg, header, claims string) map[string]string {
	t.Helper()
	sign := func(header, payload string) string { return key.sign(t, alg, header, payload) }
	return map[string]string{
		"header not JSON":         sign("alg: "+alg, claims),
		"header array":            sign("["+header+"]", claims),
		"header twice":            sign(header+header, claims),
		"header alg twice":        sign(`{"alg":"none",`+header[1:], claims),
		"header Alg":              sign(`{"Alg":"none",`+header[1:], claims),
		"payload not JSON":        sign(header, "sub"),
		"payload empty":           sign(header, ""),
		"payload null":            sign(header, "null"),
		"payload string":          sign(header, `"prometheus"`),
		"payload and more":        sign(header, claims+"{}"),
		"payload trailing comma":  sign(header, claims[:len(claims)-1]+",}"),
		"payload byte order mark": sign(header, "\ufeff"+claims),
	}
}

// In base64 the last character can have bits that mean nothing. A token that sets them is
// another spelling of the same token.
func TestOIDCOneSpelling(t *testing.T) {
	f := newOIDCFixture(t, nil)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	good := f.good(t)
	// The last character of 64 bytes has four bits that mean nothing.
	last := strings.IndexByte(alphabet, good[len(good)-1])
	for bits := 1; bits < 16; bits++ {
		token := good[:len(good)-1] + string(alphabet[last^bits])
		if _, err := f.try(token); !errors.Is(err, errUnsigned) {
			t.Errorf("bits %04b: %v, want errUnsigned", bits, err)
		}
	}
}
