package auth

import (
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestReviewsAreRetriedOnce(t *testing.T) {
	for name, test := range map[string]struct {
		fail  http.HandlerFunc
		retry bool
	}{
		"500":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, true},
		"503":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, true},
		"hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, true},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			_, _ = io.WriteString(w, "{")
		}, true},
		"429": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, false},
		"404": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, false},
	} {
		f := newAPIFake(t)
		var review Authenticator = newReview(t, f.options(t))
		access := newAccess(t, f.options(t))
		once := func(w http.ResponseWriter, r *http.Request) {
			f.set(func() { f.override = nil })
			test.fail(w, r)
		}
		f.set(func() { f.override = once })
		if _, err := review.Authenticate(request("Bearer " + podToken)); (err == nil) != test.retry {
			t.Errorf("TokenReview, %s: %v", name, err)
		}
		f.set(func() { f.override = once })
		if err := access.Authorize(request(), pod()); (err == nil) != test.retry {
			t.Errorf("SubjectAccessReview, %s: %v", name, err)
		}
		f.set(func() { f.override, f.asked = test.fail, map[string]int{} })
		if _, err := review.Authenticate(request("Bearer other." + name[:1] + ".x")); !errors.Is(err, ErrUnavailable) {
			t.Errorf("always %s: %v", name, err)
		}
		if n, most := f.calls(), map[bool]int{true: 2, false: 1}[test.retry]; n != most {
			t.Errorf("always %s: asked %d times, want %d", name, n, most)
		}
	}
}

func TestSystemGroupsComeFromTheAPIServerOnly(t *testing.T) {
	groups := []string{"ops", "system:masters", "system:"}
	for method, want := range map[string][]string{
		MethodKubernetes: groups, MethodOIDC: {"ops"}, MethodCertificate: {"ops"}, MethodToken: {"ops"},
	} {
		f := newAPIFake(t)
		_ = newAccess(t, f.options(t)).Authorize(request(), Identity{Method: method, User: "a", Groups: groups})
		var sent []string
		for _, group := range f.last["groups"].([]any) {
			sent = append(sent, group.(string))
		}
		if !slices.Equal(sent, want) {
			t.Errorf("%s: groups %q, want %q", method, sent, want)
		}
	}
	if groups[1] != "system:masters" {
		t.Error("the identity's own groups were changed")
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	missing := func(name string) string { return filepath.Join(t.TempDir(), name) }
	_, err := NewOIDC(OIDCOptions{Issuer: "http://idp.example", Audiences: []string{"gate"},
		Algorithms: []string{"none"}, CAFile: missing("ca"), JWKSFile: missing("keys"), SharedNames: true})
	checkOptions(t, err, OptionIssuer, OptionAlgorithms, OptionUsernamePrefix, OptionGroupsPrefix, OptionCAFile,
		OptionJWKSFile)
	_, err = NewOIDC(OIDCOptions{Issuer: "https://idp.example", Audiences: []string{"gate"},
		DiscoveryTokenFile: missing("token")})
	checkOptions(t, err, OptionDiscoveryTokenFile)
	k := KubernetesOptions{
		URL:       "http://user:secret@api",
		CAFile:    missing("ca"),
		TokenFile: missing("token"),
		Audiences: []string{""},
	}
	_, err = NewTokenReview(k)
	checkOptions(t, err, OptionAPIURL, OptionAPIAudiences, OptionAPICAFile, OptionAPITokenFile)
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("error shows a password: %v", err)
	}
	_, err = NewAccessReview(k)
	checkOptions(t, err, OptionAPIURL, OptionAPIAudiences, OptionAPICAFile, OptionAPITokenFile)
	_, err = LoadTokens(missing("tokens"))
	checkOptions(t, err, OptionTokensFile)
}

func checkOptions(t *testing.T, err error, want ...Option) {
	t.Helper()
	var got []Option
	for _, e := range OptionErrors(err) {
		got = append(got, e.Option)
	}
	if !slices.Equal(got, want) {
		t.Errorf("options %q, want %q: %v", got, want, err)
	}
}
