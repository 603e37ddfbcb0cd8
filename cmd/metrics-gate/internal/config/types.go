package config

import (
	"crypto/tls"
	"slices"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/proxy/exposition"
)

// choiceError says which words a variable takes.
type choiceError struct{ words []string }

// Error implements error.
func (e *choiceError) Error() string { return "not one of " + strings.Join(e.words, ", ") }

// errChoice is a choiceError.
func errChoice(words ...string) error { return &choiceError{words} }

// didYouMean advises the one of words that value most likely stands for; empty if none does.
func didYouMean(value string, words []string) string {
	value = strings.ToLower(strings.TrimSpace(value))
	best, nearest := "", 0
	for _, word := range words {
		begins := len(value) > 2 && (strings.HasPrefix(value, word) || strings.HasPrefix(word, value))
		if value == word || begins || isSwitched(value, word) {
			best = word
			break
		}
		if d := cli.Distance(value, word); d <= len(word)/2 && (best == "" || d < nearest) {
			best, nearest = word, d
		}
	}
	if best == "" {
		return ""
	}
	return "did you mean " + best + "?"
}

// isSwitched tells whether value is another word for that of a switch.
func isSwitched(value, word string) bool {
	switch word {
	case "on", "true":
		return slices.Contains([]string{"on", "true", "yes", "y", "1", "enabled"}, value)
	case "off", "false":
		return slices.Contains([]string{"off", "false", "no", "n", "0", "none", "disabled"}, value)
	}
	return false
}

// parseSwitch reads a switch whose words are off and on.
func parseSwitch(text []byte, off, on string) (bool, error) {
	switch string(text) {
	case on:
		return true, nil
	case off:
		return false, nil
	}
	return false, errChoice(off, on)
}

// word is how a switch is written.
func word(on bool, offWord, onWord string) string {
	if on {
		return onWord
	}
	return offWord
}

// OnOff is a switch: on or off.
type OnOff bool

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *OnOff) UnmarshalText(text []byte) error {
	on, err := parseSwitch(text, "off", "on")
	*s = OnOff(on)
	return err
}

// String is the inverse of UnmarshalText.
func (s OnOff) String() string { return word(bool(s), "off", "on") }

// TokenReview tells whether the API server authenticates bearer tokens: off or tokenreview.
type TokenReview bool

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *TokenReview) UnmarshalText(text []byte) error {
	on, err := parseSwitch(text, "off", "tokenreview")
	*s = TokenReview(on)
	return err
}

// String is the inverse of UnmarshalText.
func (s TokenReview) String() string { return word(bool(s), "off", "tokenreview") }

// AccessReview tells whether the API server authorizes too: off or subjectaccessreview.
type AccessReview bool

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *AccessReview) UnmarshalText(text []byte) error {
	on, err := parseSwitch(text, "off", "subjectaccessreview")
	*s = AccessReview(on)
	return err
}

// String is the inverse of UnmarshalText.
func (s AccessReview) String() string { return word(bool(s), "off", "subjectaccessreview") }

// TLSVersion is the lowest version of TLS: tls.VersionTLS12 or tls.VersionTLS13.
type TLSVersion uint16

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *TLSVersion) UnmarshalText(text []byte) error {
	switch string(text) {
	case "1.2":
		*v = tls.VersionTLS12
	case "1.3":
		*v = tls.VersionTLS13
	default:
		return errChoice("1.2", "1.3")
	}
	return nil
}

// String is the inverse of UnmarshalText.
func (v TLSVersion) String() string { return word(v == tls.VersionTLS12, "1.3", "1.2") }

// Conflict is what happens to a sample that already has the injected label.
type Conflict struct{ exposition.Conflict }

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Conflict) UnmarshalText(text []byte) error {
	var err error
	if c.Conflict, err = exposition.ParseConflict(string(text)); err != nil {
		return errChoice("exported", "keep", "override")
	}
	return nil
}
