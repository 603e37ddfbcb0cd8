package auth

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

// tokenPrefix marks the tokens that NewToken makes.
const tokenPrefix = "mg_"

var errUnknownToken = fmt.Errorf("%w static token: the tokens file has no such digest", ErrUnknown)

// Tokens authenticates requests by static bearer tokens, of which it knows
// names and digests only. It is safe for concurrent use.
type Tokens struct {
	path   string
	reload sync.Mutex
	set    atomic.Pointer[tokenSet]
}

// tokenSet is one reading of the file; digests[i] is that of identities[i].
type tokenSet struct {
	content    []byte
	digests    [][sha256.Size]byte
	identities []Identity
}

// LoadTokens reads the tokens file at path: a line "NAME sha256:DIGEST" each, empty lines,
// and comments from # to the end of a line. A file of comments alone revokes all tokens. An
// empty file, any other line and a file that others can read or write are errors, each an
// *OptionError. Errors name the line and never show what is in it.
func LoadTokens(path string) (*Tokens, error) {
	t := &Tokens{path: path}
	if _, err := t.Reload(); err != nil {
		return nil, err
	}
	return t, nil
}

// Reload reads the file again and reports whether it holds something new. On
// an error the tokens stay as they were.
func (t *Tokens) Reload() (changed bool, err error) {
	t.reload.Lock()
	defer t.reload.Unlock()
	content, err := readFile(OptionTokensFile, t.path, safefile.Rule{MaxBytes: maxDocument, Secret: true})
	if err != nil {
		return false, err
	}
	old := t.set.Load()
	if old != nil && bytes.Equal(old.content, content) {
		return false, nil
	}
	set, err := parseTokens(content)
	if err != nil {
		return false, &OptionError{Option: OptionTokensFile, Value: t.path, Err: err,
			Advice: "metrics-gate token NAME prints a new token and its line"}
	}
	t.set.Store(set)
	return true, nil
}

// Len returns how many tokens are known.
func (t *Tokens) Len() int { return len(t.set.Load().digests) }

// Authenticate implements Authenticator. It compares with every digest, in
// time that does not depend on which of them, if any, is equal.
func (t *Tokens) Authenticate(r *http.Request) (Identity, error) {
	token, err := Bearer(r)
	if errors.Is(err, ErrNoCredential) {
		return Identity{}, err
	}
	if err != nil {
		return Identity{}, &Refusal{Method: MethodToken, Err: err}
	}
	if id, ok := t.set.Load().find(digest(token)); ok {
		return id, nil
	}
	// A token with the gate's own prefix is for no other authenticator: one that was revoked
	// or mistyped must not be sent to the API server.
	if strings.HasPrefix(token, tokenPrefix) {
		return Identity{}, &Refusal{Method: MethodToken, Err: errUnknownToken}
	}
	return Identity{}, ErrNoCredential
}

func (s *tokenSet) find(digest [sha256.Size]byte) (Identity, bool) {
	found := -1
	for i := range s.digests {
		equal := subtle.ConstantTimeCompare(s.digests[i][:], digest[:])
		found = subtle.ConstantTimeSelect(equal, i, found)
	}
	if found < 0 {
		return Identity{}, false
	}
	return s.identities[found], true
}

// digest returns the digest of a token's characters. Tokens of the usual size
// are hashed on the stack.
func digest(token string) [sha256.Size]byte {
	var buffer [2 << 10]byte
	return sha256.Sum256(append(buffer[:0], token...))
}

// NewToken makes a token of 256 random bits and its line for the tokens file,
// without a newline. The secret is stored nowhere.
func NewToken(name string) (secret, line string, err error) {
	if err := checkTokenName(name); err != nil {
		return "", "", err
	}
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	secret = tokenPrefix + base64.RawURLEncoding.EncodeToString(random[:])
	sum := digest(secret)
	return secret, name + " " + digestPrefix + hex.EncodeToString(sum[:]), nil
}
