package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

// Bounds of a key set. A public RSA key of 8192 bits costs as much to use as four of 4096.
const (
	maxKeys    = 128
	minRSABits = 2048
	maxRSABits = 8192
)

// publicKey is a key that may verify tokens. Its digest changes with whatever the decision to
// trust it depends on: the key itself, its kid and its alg.
type publicKey struct {
	jose.JSONWebKey
	digest [32]byte
}

// KeyFault says why a key of a key set is not used.
type KeyFault struct {
	KeyID  string // the key's kid; empty if it has none
	Reason string
}

// keyring is one state of an issuer's keys, shared by all readers.
type keyring struct {
	keys    []publicKey
	unused  []KeyFault // keys that are for signatures and cannot be used
	digests map[[32]byte]struct{}
	at      time.Time // when the keys were fetched
	file    bool      // from a file: they do not expire
}

// errOtherPurpose is the error of a key that is not for signatures, which is no fault.
var errOtherPurpose = errors.New("not for verifying signatures")

// parseKeyring reads a JWK Set (RFC 7517 section 5). Keys that are unknown, weak, broken or
// not for verifying signatures are left out, as the section wants. It is an error if no key
// is left: an issuer that signs has one.
func parseKeyring(data []byte, algorithms []string, at time.Time) (*keyring, error) {
	data, err := safefile.TrimBOM(data)
	if err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	set, err := parseObject(data)
	if err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	members, ok := set["keys"].([]any)
	if !ok || len(members) > maxKeys {
		return nil, fmt.Errorf("key set: no array \"keys\" of at most %d", maxKeys)
	}
	ring := &keyring{digests: map[[32]byte]struct{}{}, at: at}
	var faults []error
	for i, member := range members {
		obj, _ := member.(object)
		key, err := parseKey(obj, algorithms)
		if err == nil {
			ring.keys = append(ring.keys, key)
			ring.digests[key.digest] = struct{}{}
			continue
		}
		kid, _ := obj["kid"].(string)
		faults = append(faults, fmt.Errorf("key %d (kid %q): %w", i+1, clip(kid), err))
		if err != errOtherPurpose {
			ring.unused = append(ring.unused, KeyFault{kid, err.Error()})
		}
	}
	switch {
	case len(members) == 0:
		return nil, errors.New("key set: no keys in it")
	case len(ring.keys) == 0:
		return nil, fmt.Errorf("key set: none of %d keys can be used: %w", len(members), errors.Join(faults...))
	}
	return ring, nil
}

// parseKey admits the public key that obj describes, if use, key_ops and alg (RFC 7517
// sections 4.2 to 4.4) say that it may verify a configured algorithm.
func parseKey(obj object, algorithms []string) (publicKey, error) {
	if obj == nil {
		return publicKey{}, errors.New("not an object")
	}
	if use, there := obj["use"]; there && use != "sig" {
		return publicKey{}, errOtherPurpose
	}
	if ops, there := obj["key_ops"]; there && !hasVerify(ops) {
		return publicKey{}, errOtherPurpose
	}
	data, err := publicMembers(obj)
	if err != nil {
		return publicKey{}, err
	}
	key := publicKey{}
	if err := key.UnmarshalJSON(data); err != nil {
		return publicKey{}, errors.New("its numbers are no public key of its type")
	}
	if err := checkStrength(key.Key); err != nil {
		return publicKey{}, err
	}
	usable := false
	for _, alg := range algorithms {
		usable = usable || key.fits(alg)
	}
	if !usable {
		return publicKey{}, errors.New("fits no configured signing algorithm")
	}
	thumb, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return publicKey{}, fmt.Errorf("thumbprint: %w", err)
	}
	key.digest = sha256.Sum256(fmt.Appendf(nil, "%x %q %q", thumb, key.Algorithm, key.KeyID))
	return key, nil
}

// publicMembers returns the JWK with only the members that make the public key, its kid and
// its alg. The others (x5c, x5t, …) are not used, so nothing in them can cost the key.
func publicMembers(obj object) ([]byte, error) {
	kty, _ := obj["kty"].(string)
	numbers := map[string][]string{"RSA": {"n", "e"}, "EC": {"x", "y"}, "OKP": {"x"}}[kty]
	if numbers == nil {
		return nil, fmt.Errorf("kty %q is none of RSA, EC and OKP", clip(kty))
	}
	if _, private := obj["d"]; private {
		return nil, errors.New("holds a private key; whoever can read the key set can sign tokens: replace the key")
	}
	public := object{}
	for _, name := range []string{"kty", "kid", "alg", "crv"} {
		value, ok := optionalString(obj, name)
		if !ok {
			return nil, fmt.Errorf("member %s is not a string", name)
		}
		if value != "" {
			public[name] = value
		}
	}
	for _, name := range numbers {
		value, _ := obj[name].(string)
		if value == "" {
			return nil, fmt.Errorf("member %s is missing or not a string", name)
		}
		if _, err := base64.RawURLEncoding.DecodeString(value); err != nil {
			return nil, fmt.Errorf("member %s is not base64url without padding (RFC 7515 section 2)", name)
		}
		public[name] = value
	}
	return json.Marshal(public)
}

func hasVerify(ops any) bool {
	names, _ := ops.([]any)
	for _, name := range names {
		if name == "verify" {
			return true
		}
	}
	return false
}

// checkStrength refuses RSA keys that are too small to trust or slow by intent, and all that
// is not a public key for signatures.
func checkStrength(key any) error {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return fmt.Errorf("RSA key of %d bits, want %d to %d", bits, minRSABits, maxRSABits)
		}
		if key.E < 3 || key.E&1 == 0 {
			return fmt.Errorf("RSA exponent %d, want an odd number of at least 3", key.E)
		}
		return nil
	case *ecdsa.PublicKey:
		return nil // go-jose has checked that the point is on its curve
	case ed25519.PublicKey:
		if len(key) == ed25519.PublicKeySize {
			return nil
		}
	}
	return errors.New("not a public RSA, EC or Ed25519 key")
}

// has reports whether the key of that digest is in the ring.
func (r *keyring) has(digest [32]byte) bool {
	if r == nil {
		return false
	}
	_, ok := r.digests[digest]
	return ok
}

// ids returns the kids of r's keys, for a log.
func (r *keyring) ids() []string {
	if r == nil {
		return nil
	}
	ids := make([]string, len(r.keys))
	for i := range r.keys {
		ids[i] = r.keys[i].KeyID
	}
	return ids
}
