package provider

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// key signs tokens; its public half is published until it is withdrawn.
type key struct {
	id        string
	algorithm jose.SignatureAlgorithm
	private   crypto.Signer
}

type signing struct{ key }

func (k signing) ID() string                                  { return k.id }
func (k signing) SignatureAlgorithm() jose.SignatureAlgorithm { return k.algorithm }
func (k signing) Key() any                                    { return k.private }

type published struct{ key }

func (k published) ID() string                         { return k.id }
func (k published) Algorithm() jose.SignatureAlgorithm { return k.algorithm }
func (published) Use() string                          { return "sig" }
func (k published) Key() any                           { return k.private.Public() }

// Rotate makes a key for algorithm (RS*, PS*, ES256, ES384, ES512 or EdDSA)
// that signs all later tokens, and returns its id. Earlier keys stay published.
func (p *Provider) Rotate(algorithm string) (id string, err error) {
	private, err := generate(algorithm)
	if err != nil {
		return "", err
	}
	s := p.store
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	id = fmt.Sprintf("key-%d", s.made)
	s.keys = append(s.keys, key{id, jose.SignatureAlgorithm(algorithm), private})
	return id, nil
}

// Withdraw removes the key with that id from the key set. The newest of the others signs.
func (p *Provider) Withdraw(id string) {
	s := p.store
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = slices.DeleteFunc(s.keys, func(k key) bool { return k.id == id })
}

func generate(algorithm string) (crypto.Signer, error) {
	switch {
	case strings.HasPrefix(algorithm, "RS"), strings.HasPrefix(algorithm, "PS"):
		return rsa.GenerateKey(rand.Reader, 2048)
	case algorithm == "EdDSA":
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	case algorithm == "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case algorithm == "ES384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case algorithm == "ES512":
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	}
	return nil, fmt.Errorf("algorithm %q: not asymmetric", algorithm)
}
