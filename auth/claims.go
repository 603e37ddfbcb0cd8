package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Errors of the claim policy.
var (
	errAudience = errors.New("token aud names none of the accepted audiences")
	errSubject  = errors.New("token has no sub")
	errExpiry   = errors.New("token has no exp, or its exp is not a time")
	errIssuedAt = errors.New("token has no iat, or its iat is not a time; " +
		"the issuer must set it (RFC 9068 section 2.2)")
	errNotBefore   = errors.New("token has an nbf that is not a time")
	errTokenOld    = fmt.Errorf("token is past its exp: %w", ErrExpired)
	errTokenEarly  = errors.New("token is not yet valid (nbf); compare the clocks")
	errTokenFuture = errors.New("token was issued in the future (iat); compare the clocks")
	errLifetime    = errors.New("token lifetime (exp - iat) is not above zero or exceeds the configured one")
	errUsername    = errors.New("token has no usable string in the user name claim")
	errUserLeftOut = errors.New("token has no user name: its issuer has left the claim out (_claim_names)")
	errReserved    = errors.New("token user name begins with system: and comes from another claim than sub; " +
		"Kubernetes reserves such names")
	errEmail  = errors.New("token user name is an email address that is not verified (email_verified)")
	errGroups = errors.New("token groups claim is neither a string nor an array of strings")
)

// claimPolicy is what one issuer's tokens must say.
type claimPolicy struct {
	issuer       string
	audiences    []string
	user, groups string // dotted paths
	userPrefix   string
	groupsPrefix string
	required     RequiredClaims
	maxLifetime  time.Duration
	skew         time.Duration
}

// check returns whom the claims are about and when they expire, with leeway. iss has been
// compared before.
func (p *claimPolicy) check(claims object, now time.Time) (id Identity, until time.Time, err error) {
	if until, err = p.checkTimes(claims, now); err != nil {
		return Identity{}, until, err
	}
	if !p.acceptsAudience(claims["aud"]) {
		return Identity{}, until, errAudience
	}
	if sub, _ := claims["sub"].(string); sub == "" {
		return Identity{}, until, errSubject
	}
	if err := p.required.check(claims); err != nil {
		return Identity{}, until, err
	}
	user, err := p.username(claims)
	if err != nil {
		return Identity{}, until, err
	}
	id = Identity{
		Method:  MethodOIDC,
		Issuer:  p.issuer,
		Subject: user,
		Names:   []string{KindUser + ":" + user},
		User:    user,
	}
	id.Groups, id.Omitted, err = p.groupNames(claims)
	if err != nil {
		return Identity{}, until, err
	}
	return id, until, nil
}

// checkTimes follows RFC 7519 sections 4.1.4 to 4.1.6. iat is required, as in RFC 9068
// section 2.2: without it there is no lifetime to check.
func (p *claimPolicy) checkTimes(claims object, now time.Time) (until time.Time, err error) {
	exp, ok := numericDate(claims["exp"])
	if !ok {
		return until, errExpiry
	}
	iat, ok := numericDate(claims["iat"])
	if !ok {
		return until, errIssuedAt
	}
	if nbf, there := claims["nbf"]; there {
		start, ok := numericDate(nbf)
		if !ok {
			return until, errNotBefore
		}
		if start.After(now.Add(p.skew)) {
			return until, errTokenEarly
		}
	}
	until = exp.Add(p.skew)
	switch {
	case !now.Before(until):
		return until, errTokenOld
	case iat.After(now.Add(p.skew)):
		return until, errTokenFuture
	case !iat.Before(exp) || exp.Sub(iat) > p.maxLifetime:
		return until, errLifetime
	}
	return until, nil
}

// numericDate reads a NumericDate (RFC 7519 section 2), which may have a fraction. A number
// in quotes is none, and years above 9999 are refused.
func numericDate(value any) (time.Time, bool) {
	number, ok := value.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseFloat(string(number), 64)
	if err != nil || seconds < 0 || seconds > 253402300799 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// acceptsAudience reports whether aud (a string or an array of strings, RFC 7519 section
// 4.1.3) has one of our names in it.
func (p *claimPolicy) acceptsAudience(aud any) bool {
	names, ok := stringOrStrings(aud)
	return ok && slices.ContainsFunc(names, func(name string) bool {
		return slices.Contains(p.audiences, name)
	})
}

func (p *claimPolicy) username(claims object) (string, error) {
	value, found, err := lookup(claims, p.user)
	switch {
	case err != nil:
		return "", err
	case !found && leftOut(claims, p.user):
		return "", errUserLeftOut
	}
	name, ok := value.(string)
	if !ok || name == "" || !isPlain(name) {
		return "", errUsername
	}
	if p.user != "sub" && isSystemName(p.userPrefix+name) {
		return "", errReserved // users can often choose the values of other claims
	}
	if verified, there := claims["email_verified"]; p.user == "email" && there && verified != true {
		return "", errEmail
	}
	return p.userPrefix + name, nil
}

// groupNames returns the prefixed groups, and why groups of the token are missing. No claim
// is no group. An empty name is dropped: it would be the bare prefix.
func (p *claimPolicy) groupNames(claims object) (groups []string, omitted string, err error) {
	value, found, err := lookup(claims, p.groups)
	if err == nil && !found && leftOut(claims, p.groups) {
		omitted = "groups: the issuer has left them out of the token (_claim_names or hasgroups); " +
			"let it send fewer, or allow the user instead"
	}
	if err != nil || !found || value == nil {
		return nil, omitted, err
	}
	names, ok := stringOrStrings(value)
	if !ok {
		return nil, "", errGroups
	}
	groups = make([]string, 0, len(names))
	for _, name := range names {
		if !isPlain(name) {
			return nil, "", errGroups
		}
		if name != "" {
			groups = append(groups, p.groupsPrefix+name)
		}
	}
	return groups, "", nil
}

// stringOrStrings returns the strings of a claim that is one or an array of them.
func stringOrStrings(value any) ([]string, bool) {
	switch value := value.(type) {
	case string:
		return []string{value}, true
	case []any:
		names := make([]string, len(value))
		for i, element := range value {
			name, ok := element.(string)
			if !ok {
				return nil, false
			}
			names[i] = name
		}
		return names, true
	}
	return nil, false
}

// isPlain reports whether s has neither control characters nor U+FFFD, which decoding puts in
// the place of a broken surrogate and which makes different names equal.
func isPlain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r == utf8.RuneError || unicode.IsControl(r)
	})
}
