package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// maxClockSkew is the most leeway an issuer's clock can be given.
const maxClockSkew = time.Minute

// NoPrefix is the value of a prefix that is deliberately empty.
const NoPrefix = "-"

// OIDCOptions says which tokens to accept. A zero field has the default in its comment.
type OIDCOptions struct {
	Issuer    string   // required: https, no query; compared with iss character by character
	Audiences []string // required; one of them must be in aud

	UsernameClaim  string // default "sub"; a dotted path enters nested objects
	GroupsClaim    string // default "groups"; likewise
	UsernamePrefix string // put before the user's name, to tell issuers apart; NoPrefix: none
	GroupsPrefix   string // put before every group's name; NoPrefix: none
	// SharedNames says that user names or groups come from elsewhere too: a second issuer,
	// TokenReview or SubjectAccessReview. Then both prefixes are required, or an issuer could
	// claim the names of another.
	SharedNames    bool
	RequiredClaims RequiredClaims // default none; a token must have all of them

	Algorithms  []string      // default RS256, ES256; asymmetric ones of RFC 7518, EdDSA or Ed25519
	MaxLifetime time.Duration // default 24h; exp − iat above it is refused
	ClockSkew   time.Duration // default none, at most a minute; leeway on exp, nbf and iat

	JWKSMinInterval time.Duration // default 10s; the issuer is asked at most once in it
	JWKSMaxAge      time.Duration // default 24h; older keys are not used

	CAFile             string // PEM; default the system's roots
	DiscoveryTokenFile string // bearer token for the issuer's own host and port, read at every use
	JWKSFile           string // keys from here; the issuer is never asked

	// Admit is asked before costly work (a signature, a fetch); false ends the request with
	// ErrThrottled. Nil admits everybody.
	Admit      func(*http.Request) bool
	Log        *slog.Logger          // default: none
	Registerer prometheus.Registerer // default: none; an issuer registers once
	Now        func() time.Time      // default the wall clock
}

// signatureAlgorithms returns the asymmetric algorithms that can be configured.
func signatureAlgorithms() []string {
	return []string{
		"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
	}
}

// withDefaults returns o with its zero fields filled in.
func (o OIDCOptions) withDefaults() OIDCOptions {
	orString := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	orDuration := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	orString(&o.UsernameClaim, "sub")
	orString(&o.GroupsClaim, "groups")
	orDuration(&o.MaxLifetime, 24*time.Hour)
	orDuration(&o.JWKSMinInterval, 10*time.Second)
	orDuration(&o.JWKSMaxAge, 24*time.Hour)
	if len(o.Algorithms) == 0 {
		o.Algorithms = []string{"RS256", "ES256"}
	}
	algorithms := make([]string, len(o.Algorithms))
	for i, alg := range o.Algorithms {
		algorithms[i] = canonicalAlgorithm(alg)
	}
	o.Algorithms = algorithms
	for _, prefix := range []*string{&o.UsernamePrefix, &o.GroupsPrefix} {
		if *prefix == NoPrefix {
			*prefix = ""
		}
	}
	if o.Admit == nil {
		o.Admit = func(*http.Request) bool { return true }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = wallClock
	}
	return o
}

// optionErrors collects what is wrong with several options.
type optionErrors []error

func (e *optionErrors) add(wrong bool, option Option, value, problem, advice string) {
	if wrong {
		*e = append(*e, &OptionError{Option: option, Value: value, Err: errors.New(problem), Advice: advice})
	}
}

// Validate returns an *OptionError for each mistake in o, joined. It reads no files.
func (o OIDCOptions) Validate() error {
	var errs optionErrors
	configured := o
	o = o.withDefaults()
	problem := issuerProblem(o.Issuer)
	errs.add(problem != "", OptionIssuer, redactURL(o.Issuer), problem,
		"write the iss of its tokens, as in https://gitlab.example.com")
	errs.add(len(o.Audiences) == 0, OptionAudiences, "", "not set", "name at least one; tokens must have it in aud")
	errs.add(slices.Contains(o.Audiences, ""), OptionAudiences, strings.Join(o.Audiences, ","),
		"one of them is empty", "remove a comma")
	for _, alg := range o.Algorithms {
		errs.add(!slices.Contains(signatureAlgorithms(), alg), OptionAlgorithms, alg,
			"not an asymmetric algorithm that the gate has", "choose from "+strings.Join(signatureAlgorithms(), ", "))
	}
	errs.add(o.MaxLifetime < 0, OptionMaxLifetime, o.MaxLifetime.String(), "negative", "")
	errs.add(o.ClockSkew < 0 || o.ClockSkew > maxClockSkew, OptionClockSkew, o.ClockSkew.String(),
		fmt.Sprintf("not between 0s and %s", maxClockSkew), "")
	errs.add(o.JWKSMinInterval < 0, OptionJWKSMinInterval, o.JWKSMinInterval.String(), "negative", "")
	errs.add(o.JWKSMaxAge <= o.JWKSMinInterval, OptionJWKSMaxAge, o.JWKSMaxAge.String(),
		fmt.Sprintf("not above the %s %s", OptionJWKSMinInterval, o.JWKSMinInterval), "")
	configured.validatePrefixes(&errs)
	o.validateClaims(&errs)
	errs.add(o.JWKSFile != "" && o.DiscoveryTokenFile != "", OptionDiscoveryTokenFile, o.DiscoveryTokenFile,
		"not used with keys from a file", "set one of the two")
	return errors.Join(errs...)
}

func (o OIDCOptions) validatePrefixes(errs *optionErrors) {
	for _, prefix := range []struct {
		option Option
		value  string
	}{{OptionUsernamePrefix, o.UsernamePrefix}, {OptionGroupsPrefix, o.GroupsPrefix}} {
		errs.add(o.SharedNames && prefix.value == "", prefix.option, "",
			"not set, and names come from another issuer or the Kubernetes API too: "+
				"one could claim the names of the other",
			"write a prefix, as in oidc:, or "+NoPrefix+" if equal names deliberately mean the same")
		errs.add(o.SharedNames && startsSystemName(prefix.value), prefix.option, prefix.value,
			"a name with it can begin with "+systemPrefix+", and such names are those of Kubernetes itself",
			"write another prefix, as in oidc:")
	}
}

// startsSystemName reports whether the prefix with some name after it begins with system:.
func startsSystemName(prefix string) bool {
	return prefix != "" && (isSystemName(prefix) || strings.HasPrefix(systemPrefix, prefix))
}

func (o OIDCOptions) validateClaims(errs *optionErrors) {
	const emptyPart = "an empty part in a dotted path"
	errs.add(!validClaimPath(o.UsernameClaim), OptionUsernameClaim, o.UsernameClaim, emptyPart, "")
	errs.add(!validClaimPath(o.GroupsClaim), OptionGroupsClaim, o.GroupsClaim, emptyPart, "")
	for _, claim := range o.RequiredClaims {
		if err := claim.check(); err != nil {
			errs.add(true, OptionRequiredClaims, claim.Name+"="+claim.Value, err.Error(), "write NAME=VALUE")
		}
	}
}

// issuerProblem says why issuer is none by OpenID Connect Discovery section 2; empty: it is.
func issuerProblem(issuer string) string {
	u, err := url.Parse(issuer)
	switch {
	case issuer == "":
		return "not set"
	case err != nil:
		return "not a URL"
	case u.Scheme != "https" || u.Host == "" || u.Opaque != "":
		return "not an https URL"
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "has user info, a query or a fragment"
	}
	return ""
}

// redactURL hides what can be secret in a URL: what stands before the last @, and the query.
func redactURL(raw string) string {
	query, at := strings.IndexAny(raw, "?#"), strings.LastIndexByte(raw, '@')
	if query >= 0 && at > query { // of a password or of the query
		return "…"
	}
	if query >= 0 {
		raw = raw[:query] + "?…"
	}
	if at >= 0 {
		raw = "…" + raw[at:]
	}
	return raw
}
