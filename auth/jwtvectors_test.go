package auth

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

// TestOIDCSignatureVectors does to a good token what the Wycheproof vectors
// "json_web_signature" and "json_web_crypto" do: each bends one thing.
func TestOIDCSignatureVectors(t *testing.T) {
	f := newOIDCFixture(t, func(o *OIDCOptions) { o.Algorithms = []string{"ES256", "RS256", "PS256", "EdDSA"} })
	rsa, ed := newRSAKey(t, "rsa", 2048), newEdKey(t, "ed")
	f.issuer.publish(jwkSet(t, f.key, rsa, ed))
	claims := string(mustJSON(t, f.claims(nil)))
	keys := map[string]*signKey{"ES256": f.key, "RS256": rsa, "PS256": rsa, "EdDSA": ed}
	zeros := func(n int) string { return base64.RawURLEncoding.EncodeToString(make([]byte, n)) }

	for alg, key := range keys {
		header := `{"alg":"` + alg + `","kid":"` + key.kid + `"}`
		good := key.sign(t, alg, header, claims)
		parts := strings.Split(good, ".")
		head, body, sig := parts[0], parts[1], parts[2]
		raw, err := base64.RawURLEncoding.DecodeString(sig)
		if err != nil {
			t.Fatal(err)
		}
		encode := base64.RawURLEncoding.EncodeToString
		flipped := append([]byte{}, raw...)
		flipped[len(flipped)/2] ^= 1
		vectors := map[string]string{
			"empty token":              "",
			"dots only":                "..",
			"no payload":               head + ".." + sig,
			"no header":                "." + body + "." + sig,
			"no signature":             head + "." + body,
			"empty signature":          head + "." + body + ".",
			"four parts":               good + ".",
			"four parts, empty first":  "." + good,
			"two signatures":           good + "." + sig,
			"trailing byte":            head + "." + body + "." + encode(append(append([]byte{}, raw...), 0)),
			"leading byte":             head + "." + body + "." + encode(append([]byte{0}, raw...)),
			"one byte short":           head + "." + body + "." + encode(raw[:len(raw)-1]),
			"bit flipped":              head + "." + body + "." + encode(flipped),
			"all zero":                 head + "." + body + "." + zeros(len(raw)),
			"r and s one byte":         head + "." + body + ".AQE",
			"signature of nothing":     head + "." + body + "." + encode(key.signature(t, alg, ".")),
			"signature of payload":     head + "." + body + "." + encode(key.signature(t, alg, claims)),
			"signature of the decoded": head + "." + body + "." + encode(key.signature(t, alg, header+"."+claims)),
			"padding":                  head + "." + body + "." + sig + "==",
			"padding in header":        head + "=." + body + "." + sig,
			"standard alphabet":        head + "." + body + "." + base64.RawStdEncoding.EncodeToString(append(raw[:len(raw)-3], 0xfb, 0xff, 0xfe)),
			"header case":              strings.ToLower(head) + "." + body + "." + sig,
			"header not JSON":          b64("alg: "+alg) + "." + body + "." + sig,
			"header array":             b64("["+header+"]") + "." + body + "." + sig,
			"header twice":             b64(header+header) + "." + body + "." + sig,
			"header alg twice":         key.sign(t, alg, `{"alg":"none","alg":"`+alg+`","kid":"`+key.kid+`"}`, claims),
			"header Alg":               key.sign(t, alg, `{"Alg":"none","alg":"`+alg+`","kid":"`+key.kid+`"}`, claims),
			"payload not JSON":         key.sign(t, alg, header, "sub"),
			"payload null":             key.sign(t, alg, header, "null"),
			"payload string":           key.sign(t, alg, header, `"prometheus"`),
			"payload and more":         key.sign(t, alg, header, claims+"{}"),
			"payload trailing comma":   key.sign(t, alg, header, claims[:len(claims)-1]+",}"),
			"payload byte order mark":  key.sign(t, alg, header, "\ufeff"+claims),
			"JSON serialisation":       `{"payload":"` + body + `","protected":"` + head + `","signature":"` + sig + `"}`,
			"ASN.1 signature":          head + "." + body + "." + encode(append([]byte{0x30, byte(len(raw))}, raw...)),
		}
		for name, token := range vectors {
			if _, err := f.try(token); err == nil {
				t.Errorf("%s: %s: accepted", alg, name)
			}
		}
		for _, at := range []int{0, 5, len(head), len(head) + 9, len(good)} {
			for _, space := range []string{" ", "\n", "\r\n", "\t"} {
				if parsed, err := parseJWT(good[:at] + space + good[at:]); err == nil && parsed.signed {
					t.Errorf("%s: %q at %d: accepted", alg, space, at)
				}
			}
		}
		if _, err := f.try(good); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

// TestOIDCOneSpelling: base64 lets the last character of a part carry bits that
// mean nothing; a token that uses them is another spelling of the same one.
func TestOIDCOneSpelling(t *testing.T) {
	f := newOIDCFixture(t, nil)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	good := f.good(t)
	// 64 bytes of signature end in a character of which four bits count for nothing.
	last := strings.IndexByte(alphabet, good[len(good)-1])
	for bits := 1; bits < 16; bits++ {
		token := good[:len(good)-1] + string(alphabet[last^bits])
		if _, err := f.try(token); !errors.Is(err, errUnsigned) {
			t.Errorf("bits %04b: %v, want errUnsigned", bits, err)
		}
	}
}
