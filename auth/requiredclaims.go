package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
)

// RequiredClaim is a claim that a token must have.
type RequiredClaim struct {
	Name  string // a dotted path enters nested objects
	Value string // what the claim must be equal to, or contain if it is an array
}

// RequiredClaims are the claims that every token of an issuer must have.
type RequiredClaims []RequiredClaim

// UnmarshalText implements encoding.TextUnmarshaler. It reads a comma-separated list of
// NAME=VALUE, as in "namespace_path=ops,ref_protected=true". An element in double quotes can
// hold commas; in it \" stands for a quote and \\ for a backslash. The error joins those of
// all elements.
func (c *RequiredClaims) UnmarshalText(text []byte) error {
	*c = nil
	if strings.TrimSpace(string(text)) == "" {
		return nil
	}
	var claims RequiredClaims
	var errs []error
	for _, e := range splitList(string(text)) {
		name, value, ok := strings.Cut(e.text, "=")
		claim := RequiredClaim{strings.TrimSpace(name), strings.TrimSpace(value)}
		err := e.err
		if err == nil && !ok {
			err = errors.New("want NAME=VALUE")
		}
		if err == nil {
			err = claim.check()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("claim %q: %w", e.text, err))
		}
		claims = append(claims, claim)
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	*c = claims
	return nil
}

// String returns c as UnmarshalText reads it.
func (c RequiredClaims) String() string {
	list := make([]string, len(c))
	for i, claim := range c {
		list[i] = quoteElement(claim.Name + "=" + claim.Value)
	}
	return strings.Join(list, ",")
}

func (c RequiredClaim) check() error {
	switch {
	case !validClaimPath(c.Name):
		return errors.New("empty name, or an empty part in a dotted path")
	case c.Value == "":
		return errors.New("no value; write NAME=VALUE")
	}
	return nil
}

// requiredClaimError is the error of a token without a required claim.
type requiredClaimError struct {
	claim     RequiredClaim
	presented string // the token's value; empty if it has none that can be shown
}

// Error implements error. It does not show the token's value.
func (e *requiredClaimError) Error() string {
	return fmt.Sprintf("token claim %q is not %q, as required", e.claim.Name, e.claim.Value)
}

func (e *requiredClaimError) details() []slog.Attr {
	attrs := []slog.Attr{slog.String("claim", e.claim.Name), slog.String("expected_value", e.claim.Value)}
	return appendString(attrs, "presented_value", e.presented)
}

// check returns an error unless claims have all of c.
func (c RequiredClaims) check(claims object) error {
	for _, required := range c {
		value, _, err := lookup(claims, required.Name)
		if err != nil {
			return err
		}
		if list, ok := value.([]any); ok {
			if !containsClaim(list, required.Value) {
				return &requiredClaimError{claim: required}
			}
			continue
		}
		if !equalsClaim(value, required.Value) {
			text, _ := claimText(value)
			return &requiredClaimError{required, text}
		}
	}
	return nil
}

func containsClaim(list []any, want string) bool {
	for _, value := range list {
		if equalsClaim(value, want) {
			return true
		}
	}
	return false
}

// equalsClaim compares a string, a number or a boolean with its text. Numbers are compared
// as such: 1, 1.0 and 1e0 are equal.
func equalsClaim(value any, want string) bool {
	text, ok := claimText(value)
	if !ok || text == want {
		return ok
	}
	number, ok := value.(json.Number)
	if !ok {
		return false
	}
	a, err := strconv.ParseFloat(number.String(), 64)
	b, err2 := strconv.ParseFloat(want, 64)
	const exact = 1 << 53 // integers above it have no float64 of their own
	return err == nil && err2 == nil && a == b && a < exact && a > -exact
}

// claimText returns the text of a string, a number or a boolean.
func claimText(value any) (string, bool) {
	switch value := value.(type) {
	case string:
		return value, true
	case json.Number:
		return value.String(), true
	case bool:
		return strconv.FormatBool(value), true
	}
	return "", false
}
