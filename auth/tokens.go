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
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

// TokenPrefix marks the tokens that NewToken makes.
const TokenPrefix = "mg_"

var errTokenItself = errors.New(
	"this is the token itself, and the file takes its digest; remove the line, and write " +
		"the one with sha256: that `metrics-gate token NAME` prints with the token",
)

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
// and comments from # to the end of a line. Several lines may have one name, as the old and the
// new token of a rotation. A file of comments alone revokes all tokens. An
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

// Names returns the names of the tokens, each once, in the order of the file.
func (t *Tokens) Names() []string {
	var names []string
	for _, id := range t.set.Load().identities {
		if name := strings.TrimPrefix(id.User, KindToken+":"); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

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
	if strings.HasPrefix(token, TokenPrefix) {
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

// NewToken makes a token of 256 random bits and its line for the tokens file, without a
// newline. The secret is stored nowhere. It is an error if name cannot stand in a tokens file.
func NewToken(name string) (secret, line string, err error) {
	if err := checkTokenName(name); err != nil {
		return "", "", err
	}
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	secret = TokenPrefix + base64.RawURLEncoding.EncodeToString(random[:])
	sum := digest(secret)
	return secret, name + " " + digestPrefix + hex.EncodeToString(sum[:]), nil
}

const (
	maxTokenName = 128 // bytes
	digestPrefix = "sha256:"
)

func parseTokens(content []byte) (*tokenSet, error) {
	if len(bytes.TrimSpace(content)) == 0 {
		return nil, errors.New("empty; add the line of a token or, to revoke all tokens, a comment (# …)")
	}
	s := &tokenSet{content: content}
	digests := map[[sha256.Size]byte]int{}
	number := 0
	for line := range strings.Lines(string(content)) {
		number++
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		name, sum, err := parseTokenLine(fields)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if other, twice := digests[sum]; twice {
			return nil, fmt.Errorf("line %d: same digest as line %d; remove one, each token has a line of its own",
				number, other)
		}
		digests[sum] = number
		s.digests = append(s.digests, sum)
		s.identities = append(s.identities, Identity{
			Method:  MethodToken,
			Subject: "token:" + name,
			Names:   []string{"token:" + name},
			User:    "token:" + name,
			Digest:  hex.EncodeToString(sum[:4]),
		})
	}
	return s, nil
}

// parseTokenLine reads the fields of one line. Its errors do not show them: a
// field may be a secret in the wrong place.
func parseTokenLine(fields []string) (name string, sum [sha256.Size]byte, err error) {
	if slices.ContainsFunc(fields, func(field string) bool { return strings.HasPrefix(field, TokenPrefix) }) {
		return "", sum, errTokenItself
	}
	if len(fields) != 2 {
		return "", sum, errors.New("want NAME sha256:DIGEST, as `metrics-gate token NAME` prints it")
	}
	if err := checkTokenName(fields[0]); err != nil {
		return "", sum, err
	}
	digits, ok := strings.CutPrefix(fields[1], digestPrefix)
	if !ok {
		return "", sum, errors.New(
			"no sha256: before the digest; write it, if this is a digest and not the token itself",
		)
	}
	if len(digits) != hex.EncodedLen(len(sum)) {
		return "", sum, fmt.Errorf("digest of %d characters after sha256:, want %d hex digits", len(digits),
			hex.EncodedLen(len(sum)))
	}
	if _, err := hex.Decode(sum[:], []byte(digits)); err != nil {
		return "", sum, errors.New("digest has characters that are not hex digits")
	}
	if sum == digest("") {
		return "", sum, errors.New("digest is that of an empty token")
	}
	return fields[0], sum, nil
}

// checkTokenName refuses names that an allow list could not write.
func checkTokenName(name string) error {
	if name == "" || len(name) > maxTokenName {
		return fmt.Errorf("token name of %d characters: want 1 to %d", len(name), maxTokenName)
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("._-@/+:", c) >= 0:
		default:
			return errors.New("token name: want letters, digits and . _ - @ / + : only")
		}
	}
	if strings.HasPrefix(name, TokenPrefix) || strings.HasPrefix(name, digestPrefix) {
		return errors.New("token name begins like a token or a digest")
	}
	return nil
}
