package auth

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/prometheus/client_golang/prometheus"
)

// maxClockSkew is the most leeway an issuer's clock can be given.
const maxClockSkew = time.Minute

// OIDCOptions tells NewOIDC whose tokens to accept and what they must say. A
// zero field has the default its comment names.
type OIDCOptions struct {
	Issuer    string   // required: https, no query; compared with iss character by character
	Audiences []string // required; one of them must be in aud

	UsernameClaim  string // default "sub"; a dotted path enters nested objects
	GroupsClaim    string // default "groups"; likewise
	UsernamePrefix string // put before the user's name, to tell issuers apart
	GroupsPrefix   string // put before every group's name

	Algorithms  []string      // default RS256, ES256; asymmetric ones of RFC 7518 and EdDSA
	MaxLifetime time.Duration // default 24h; exp − iat above it is refused
	ClockSkew   time.Duration // default none, at most a minute; leeway on exp, nbf and iat

	JWKSMinInterval time.Duration // default 10s; the issuer is never asked oftener
	JWKSMaxAge      time.Duration // default 24h; older keys stop counting

	CAFile             string // PEM; default the system's roots
	DiscoveryTokenFile string // bearer token for the issuer's own host and port, read at every use
	JWKSFile           string // keys from here; the issuer is never asked

	// Admit is asked before costly work (a signature, a fetch); false ends
	// the request with ErrThrottled. nil admits everybody.
	Admit      func(*http.Request) bool
	Log        *slog.Logger          // default: none
	Registerer prometheus.Registerer // default: none; an issuer registers once
	Now        func() time.Time      // default time.Now
}

// signatureAlgorithms are the asymmetric algorithms that can be configured.
var signatureAlgorithms = [...]jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
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
		o.Algorithms = []string{string(jose.RS256), string(jose.ES256)}
	}
	if o.Admit == nil {
		o.Admit = func(*http.Request) bool { return true }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// validate returns all that is wrong with o at once.
func (o OIDCOptions) validate() error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	if err := checkIssuer(o.Issuer); err != nil {
		errs = append(errs, err)
	}
	refuse(len(o.Audiences) == 0, "audience: none given")
	refuse(slices.Contains(o.Audiences, ""), "audience: one of %q is empty", o.Audiences)
	for _, alg := range o.Algorithms {
		refuse(!slices.Contains(signatureAlgorithms[:], jose.SignatureAlgorithm(alg)),
			"signing algorithm %q: not one of %s", alg, signatureAlgorithms)
	}
	refuse(o.MaxLifetime < 0, "token lifetime %s: negative", o.MaxLifetime)
	refuse(o.ClockSkew < 0 || o.ClockSkew > maxClockSkew, "clock skew %s: not within 0s and %s", o.ClockSkew, maxClockSkew)
	refuse(o.JWKSMinInterval < 0, "interval %s between key fetches: negative", o.JWKSMinInterval)
	refuse(o.JWKSMaxAge <= o.JWKSMinInterval,
		"key age %s: not above the interval %s between key fetches", o.JWKSMaxAge, o.JWKSMinInterval)
	for _, path := range []string{o.UsernameClaim, o.GroupsClaim} {
		refuse(!validClaimPath(path), "claim %q: empty part in a dotted path", path)
	}
	refuse(o.JWKSFile != "" && o.DiscoveryTokenFile != "",
		"discovery token %s: not used with keys from a file", o.DiscoveryTokenFile)
	return errors.Join(errs...)
}

// checkIssuer demands what OpenID Connect Discovery section 2 says of an issuer.
func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case err != nil:
		return fmt.Errorf("issuer %q: not a URL", issuer)
	case u.Scheme != "https" || u.Host == "" || u.Opaque != "":
		return fmt.Errorf("issuer %q: not an https URL", issuer)
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return fmt.Errorf("issuer %q: has user info, a query or a fragment", issuer)
	}
	return nil
}
