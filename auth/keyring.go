package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Bounds of a key set. A public RSA key of 8192 bits costs as much to use as
// four of 4096.
const (
	maxKeys    = 128
	minRSABits = 2048
	maxRSABits = 8192
)

// publicKey is a key that may verify tokens. Its digest changes with whatever
// the decision to trust it rests on: the key itself, its kid and its alg.
type publicKey struct {
	jose.JSONWebKey
	digest [32]byte
}

// keyring is one state of an issuer's keys, shared by all readers.
type keyring struct {
	keys    []publicKey
	digests map[[32]byte]struct{}
	at      time.Time // when the issuer was last known to vouch for them
	file    bool      // from a file: they do not age
}

// parseKeyring reads a JWK Set (RFC 7517 section 5). Keys that are not
// understood or not for verifying signatures are left out, as the section
// wants; it is an error if no key is left, for a signing issuer has one.
func parseKeyring(data []byte, algorithms []string, at time.Time) (*keyring, error) {
	set, err := parseObject(data)
	if err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	members, ok := set["keys"].([]any)
	if !ok || len(members) > maxKeys {
		return nil, fmt.Errorf("key set: no array \"keys\" of at most %d", maxKeys)
	}
	ring := &keyring{digests: map[[32]byte]struct{}{}, at: at}
	var unusable []error
	for i, member := range members {
		key, err := parseKey(member, algorithms)
		if err != nil {
			unusable = append(unusable, fmt.Errorf("key %d: %w", i, err))
			continue
		}
		ring.keys = append(ring.keys, key)
		ring.digests[key.digest] = struct{}{}
	}
	if len(ring.keys) == 0 {
		return nil, fmt.Errorf("key set: none of %d keys can be used: %w", len(members), errors.Join(unusable...))
	}
	return ring, nil
}

// parseKey admits the public key that member describes, if use, key_ops and alg
// (RFC 7517 sections 4.2 to 4.4) say that it may verify a configured algorithm.
func parseKey(member any, algorithms []string) (publicKey, error) {
	obj, ok := member.(object)
	if !ok {
		return publicKey{}, errors.New("not an object")
	}
	if use, there := obj["use"]; there && use != "sig" {
		return publicKey{}, errors.New("use is not sig")
	}
	if ops, there := obj["key_ops"]; there && !hasVerify(ops) {
		return publicKey{}, errors.New("key_ops has no verify")
	}
	data, err := json.Marshal(obj)
	if err != nil {
		return publicKey{}, err
	}
	key := publicKey{}
	if err := key.UnmarshalJSON(data); err != nil {
		return publicKey{}, errors.New("not a public key of a known type")
	}
	if !isStrong(key.Key) {
		return publicKey{}, errors.New("neither RSA of 2048 to 8192 bits, EC nor Ed25519, or not public")
	}
	usable := false
	for _, alg := range algorithms {
		usable = usable || key.fits(alg)
	}
	if !usable {
		return publicKey{}, errors.New("fits no configured algorithm")
	}
	thumb, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return publicKey{}, fmt.Errorf("thumbprint: %w", err)
	}
	key.digest = sha256.Sum256(fmt.Appendf(nil, "%x %q %q", thumb, key.Algorithm, key.KeyID))
	return key, nil
}

func hasVerify(ops any) bool {
	names, ok := ops.([]any)
	for _, name := range names {
		if ok && name == "verify" {
			return true
		}
	}
	return false
}

// isStrong admits public keys only, and no RSA key that is too small to trust
// or made to be slow.
func isStrong(key any) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		bits := key.N.BitLen()
		return bits >= minRSABits && bits <= maxRSABits && key.E >= 3 && key.E&1 == 1
	case *ecdsa.PublicKey:
		return true // go-jose has checked that the point is on its curve
	case ed25519.PublicKey:
		return len(key) == ed25519.PublicKeySize
	}
	return false
}

// fits reports whether a signature by alg can be this key's: an alg of its own
// must be the same (RFC 8725 section 3.1), its type and curve the algorithm's.
func (k *publicKey) fits(alg string) bool {
	if k.Algorithm != "" && k.Algorithm != alg {
		return false
	}
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(alg, "RS") || strings.HasPrefix(alg, "PS")
	case *ecdsa.PublicKey:
		curves := map[string]string{"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
		return curves[alg] == key.Curve.Params().Name
	case ed25519.PublicKey:
		return alg == string(jose.EdDSA)
	}
	return false
}

// has reports whether the key of that digest is still in the ring.
func (r *keyring) has(digest [32]byte) bool {
	if r == nil {
		return false
	}
	_, ok := r.digests[digest]
	return ok
}
