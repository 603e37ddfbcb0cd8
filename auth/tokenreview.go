package auth

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// TokenReview authenticates requests by asking the Kubernetes API server about their bearer
// token (authentication.k8s.io/v1). It is safe for concurrent use.
type TokenReview struct {
	api      *apiServer
	verdicts *verdicts[reviewed]
	calls    singleFlight[reviewed]
}

type tokenReview struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Spec       tokenReviewSpec   `json:"spec"`
	Status     tokenReviewStatus `json:"status"`
}

type tokenReviewSpec struct {
	Token     string   `json:"token"`
	Audiences []string `json:"audiences,omitempty"`
}

type tokenReviewStatus struct {
	Authenticated bool     `json:"authenticated"`
	Audiences     []string `json:"audiences"`
	User          struct {
		Username string              `json:"username"`
		UID      string              `json:"uid"`
		Groups   []string            `json:"groups"`
		Extra    map[string][]string `json:"extra"`
	} `json:"user"`
}

const tokenReviewPath = "apis/authentication.k8s.io/v1/tokenreviews"

// reviewed is a token that the API server has accepted.
type reviewed struct {
	id           Identity
	confirmation confirmation
}

// NewTokenReview returns the TokenReview of o. It reads the CA and the token file and opens no
// connection. The error joins an *OptionError for each mistake in o.
func NewTokenReview(o KubernetesOptions) (*TokenReview, error) {
	api, err := newAPIServer(o)
	if err != nil {
		return nil, err
	}
	return &TokenReview{api: api, verdicts: newVerdicts[reviewed](api.options.Now)}, nil
}

// Close closes idle connections to the API server.
func (t *TokenReview) Close() { t.api.close() }

// Authenticate implements Authenticator. It has an answer for every bearer token, so it comes
// last in a chain. A yes is cached for a minute but not past the token's exp, a no for ten
// seconds.
func (t *TokenReview) Authenticate(r *http.Request) (Identity, error) {
	token, err := Bearer(r)
	if errors.Is(err, ErrNoCredential) {
		return Identity{}, err
	}
	if err != nil {
		return Identity{}, &Refusal{Method: MethodKubernetes, Err: err}
	}
	key := digest(token)
	v, err, ok := t.verdicts.get(key)
	if !ok {
		admit := func() error {
			if !t.api.options.Admit(r) {
				return ErrThrottled
			}
			return nil
		}
		v, err = t.calls.do(r.Context(), key, admit, func() (reviewed, error) {
			v, until, err := t.ask(token)
			t.verdicts.put(key, v, until, err)
			return v, err
		})
	}
	if err == nil {
		err = v.confirmation.check(r)
	}
	if err != nil {
		return Identity{}, t.refusal(token, err)
	}
	return v.id, nil
}

// refusal returns err with what the token states, if it is a JSON web token.
func (t *TokenReview) refusal(token string, err error) *Refusal {
	refusal := &Refusal{Method: MethodKubernetes, Err: err}
	if parsed, fault := parseJWT(token); fault == nil {
		refusal.Issuer = parsed.issuer()
		if sub, _ := parsed.claims["sub"].(string); sub != "" {
			refusal.Subject = KindUser + ":" + sub
		}
		refusal.Details = appendString(parsed.details(), keyExpectedAudience, clipList(t.api.options.Audiences))
	}
	return refusal
}

func newTokenReview(token string, audiences []string) tokenReview {
	return tokenReview{APIVersion: "authentication.k8s.io/v1", Kind: "TokenReview",
		Spec: tokenReviewSpec{Token: token, Audiences: audiences}}
}

// ask returns what the API server says of token, and when the token expires if it says so.
func (t *TokenReview) ask(token string) (v reviewed, until time.Time, err error) {
	in := newTokenReview(token, t.api.options.Audiences)
	var out tokenReview
	if err := t.api.review(tokenReviewPath, in, &out); err != nil {
		return v, until, err
	}
	if out.APIVersion != in.APIVersion || out.Kind != in.Kind {
		return v, until, fmt.Errorf("%w: kubernetes API: answer is not a TokenReview", ErrUnavailable)
	}
	parsed, fault := parseJWT(token)
	if fault == nil {
		until, _ = numericDate(parsed.claims["exp"])
	}
	if err := t.judge(&out.Status, until); err != nil {
		return v, until, err
	}
	if fault == nil {
		if v.confirmation, err = confirmationOf(parsed.claims); err != nil {
			return v, until, err
		}
	}
	user := out.Status.User
	v.id = Identity{
		Method:  MethodKubernetes,
		Issuer:  t.api.options.URL,
		Subject: KindUser + ":" + user.Username,
		Names:   []string{KindUser + ":" + user.Username},
		Groups:  user.Groups,
		User:    user.Username,
		UID:     user.UID,
		Extra:   user.Extra,
	}
	return v, until, nil
}

// judge refuses all but an authenticated user for one of the configured audiences. exp is what
// the token states, zero if nothing; of a refused token it tells the log why. The API server's
// own text stays out of the error: it can quote the token.
func (t *TokenReview) judge(s *tokenReviewStatus, exp time.Time) error {
	configured := func(audience string) bool { return slices.Contains(t.api.options.Audiences, audience) }
	switch {
	case !s.Authenticated && !exp.IsZero() && !t.api.options.Now().Before(exp):
		return fmt.Errorf("service account token: %w; the client should read its token file again", ErrExpired)
	case !s.Authenticated:
		return errors.New("the Kubernetes API does not accept this token for " + t.audiences())
	case s.User.Username == "" || s.User.Username == "system:anonymous":
		return errors.New("the Kubernetes API returned no user for this token")
	case len(t.api.options.Audiences) > 0 && !slices.ContainsFunc(s.Audiences, configured):
		// A server that does not look at audiences leaves the list empty.
		return errors.New("the Kubernetes API accepts this token, but not for " + t.audiences())
	}
	return nil
}

func (t *TokenReview) audiences() string {
	if len(t.api.options.Audiences) == 0 {
		return "its own audience"
	}
	return "the audience " + strings.Join(t.api.options.Audiences, " or ")
}

// probeToken is a bearer token that no API server knows.
const probeToken = "metrics-gate.doctor.probe"

// Probe asks the API server for a TokenReview of a token that does not exist. It returns nil
// if the API server answers it, and otherwise an error that wraps ErrUnavailable.
func (t *TokenReview) Probe() error {
	return t.api.review(tokenReviewPath, newTokenReview(probeToken, t.api.options.Audiences), new(tokenReview))
}
