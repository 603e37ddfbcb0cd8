package auth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// TokenReview authenticates requests by asking the Kubernetes API server about
// their bearer token (authentication.k8s.io/v1). It is safe for concurrent use.
type TokenReview struct {
	api      *apiServer
	verdicts *verdicts[Identity]
	calls  singleFlight[Identity]
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
	Error         string   `json:"error"`
	User          struct {
		Username string              `json:"username"`
		UID      string              `json:"uid"`
		Groups   []string            `json:"groups"`
		Extra    map[string][]string `json:"extra"`
	} `json:"user"`
}

// NewTokenReview returns the TokenReview of o. It reads the CA and the token
// file and dials nobody.
func NewTokenReview(o KubernetesOptions) (*TokenReview, error) {
	api, err := newAPIServer(o)
	if err != nil {
		return nil, err
	}
	return &TokenReview{api: api, verdicts: newVerdicts[Identity](api.options.Now)}, nil
}

// Close ends idle connections to the API server.
func (t *TokenReview) Close() { t.api.close() }

// Authenticate implements Authenticator. It has an answer for every bearer
// token, so it comes last. A yes is remembered for a minute but not past the
// token's exp, a no for ten seconds.
func (t *TokenReview) Authenticate(r *http.Request) (Identity, error) {
	token, err := Bearer(r)
	if errors.Is(err, ErrNoCredential) {
		return Identity{}, err
	}
	if err != nil {
		return Identity{}, &Refusal{Method: MethodKubernetes, Err: err}
	}
	key := digest(token)
	id, err, ok := t.verdicts.get(key)
	if !ok {
		admit := func() error {
			if !t.api.options.Admit(r) {
				return ErrThrottled
			}
			return nil
		}
		id, err = t.calls.do(r.Context(), key, admit, func() (Identity, error) {
			id, err := t.ask(token)
			t.verdicts.put(key, id, tokenExpiry(token), err)
			return id, err
		})
	}
	if err != nil {
		return Identity{}, &Refusal{Method: MethodKubernetes, Err: err}
	}
	return id, nil
}

func (t *TokenReview) ask(token string) (Identity, error) {
	in := tokenReview{APIVersion: "authentication.k8s.io/v1", Kind: "TokenReview",
		Spec: tokenReviewSpec{Token: token, Audiences: t.api.options.Audiences}}
	var out tokenReview
	if err := t.api.review("apis/authentication.k8s.io/v1/tokenreviews", in, &out); err != nil {
		return Identity{}, err
	}
	if out.APIVersion != in.APIVersion || out.Kind != in.Kind {
		return Identity{}, fmt.Errorf("%w: kubernetes API: answer is not a TokenReview", ErrUnavailable)
	}
	if err := t.judge(&out.Status); err != nil {
		return Identity{}, err
	}
	user := out.Status.User
	return Identity{
		Method:  MethodKubernetes,
		Issuer:  t.api.options.URL,
		Subject: "user:" + user.Username,
		Names:   []string{"user:" + user.Username},
		Groups:  user.Groups,
		User:    user.Username,
		UID:     user.UID,
		Extra:   user.Extra,
	}, nil
}

// judge refuses all but an authenticated user for one of our audiences. The
// server's own text stays out of the error: it may quote the token.
func (t *TokenReview) judge(s *tokenReviewStatus) error {
	ours := func(audience string) bool { return slices.Contains(t.api.options.Audiences, audience) }
	switch {
	case !s.Authenticated && strings.Contains(s.Error, "expired"):
		return fmt.Errorf("service account token: %w; the client should read its token file again", ErrExpired)
	case !s.Authenticated:
		return errors.New("token is none that the kubernetes API accepts for " + t.audiences())
	case s.User.Username == "" || s.User.Username == "system:anonymous":
		return errors.New("token is nobody's to the kubernetes API")
	case len(t.api.options.Audiences) > 0 && !slices.ContainsFunc(s.Audiences, ours):
		// A server that does not look at audiences leaves the list empty.
		return errors.New("token is good, but not for " + t.audiences())
	}
	return nil
}

func (t *TokenReview) audiences() string {
	if len(t.api.options.Audiences) == 0 {
		return "its own audience"
	}
	return "the audience " + strings.Join(t.api.options.Audiences, " or ")
}

// tokenExpiry returns the exp of a JWT that somebody else has verified, or zero.
func tokenExpiry(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		Exp *float64 `json:"exp"`
	}
	if json.Unmarshal(payload, &claims) != nil || claims.Exp == nil || !(*claims.Exp < 1<<40) {
		return time.Time{}
	}
	return time.Unix(int64(*claims.Exp), 0)
}
