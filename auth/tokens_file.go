package auth

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

const (
	maxTokenName = 128 // bytes
	digestPrefix = "sha256:"
)

func parseTokens(content []byte) (*tokenSet, error) {
	if len(bytes.TrimSpace(content)) == 0 {
		return nil, errors.New("empty: to revoke all tokens, leave a comment (# …) in it")
	}
	s := &tokenSet{content: content}
	names, digests := map[string]int{}, map[[sha256.Size]byte]int{}
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
		if other, twice := names[name]; twice {
			return nil, fmt.Errorf("line %d: same name as line %d", number, other)
		}
		if other, twice := digests[sum]; twice {
			return nil, fmt.Errorf("line %d: same digest as line %d", number, other)
		}
		names[name], digests[sum] = number, number
		s.digests = append(s.digests, sum)
		s.identities = append(s.identities, Identity{
			Method:  MethodToken,
			Subject: "token:" + name,
			Names:   []string{"token:" + name},
			User:    "token:" + name,
		})
	}
	return s, nil
}

// parseTokenLine reads the fields of one line. Its errors do not show them: a
// field may be a secret in the wrong place.
func parseTokenLine(fields []string) (name string, sum [sha256.Size]byte, err error) {
	if len(fields) != 2 {
		return "", sum, errors.New("want NAME sha256:DIGEST, as `metrics-gate token NAME` prints it")
	}
	if err := checkTokenName(fields[0]); err != nil {
		return "", sum, err
	}
	digits, ok := strings.CutPrefix(fields[1], digestPrefix)
	if !ok {
		return "", sum, errors.New("no sha256: before the digest")
	}
	if len(digits) != hex.EncodedLen(len(sum)) {
		return "", sum, fmt.Errorf("digest of %d characters after sha256:, want %d hex digits", len(digits), hex.EncodedLen(len(sum)))
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
	if strings.HasPrefix(name, tokenPrefix) || strings.HasPrefix(name, digestPrefix) {
		return errors.New("token name begins like a token or a digest")
	}
	return nil
}
