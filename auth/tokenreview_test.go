package auth

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func newReview(t testing.TB, o KubernetesOptions) *TokenReview {
	t.Helper()
	review, err := NewTokenReview(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(review.Close)
	return review
}

func TestTokenReviewIdentity(t *testing.T) {
	f := newAPIFake(t)
	o := f.options(t)
	o.Audiences = []string{"other", "metrics-gate"}
	id, err := newReview(t, o).Authenticate(request("Bearer " + podToken))
	if err != nil {
		t.Fatal(err)
	}
	const user = "system:serviceaccount:monitoring:prometheus-k8s"
	if id.Method != MethodKubernetes || id.User != user || id.Subject != "user:"+user || !slices.Equal(id.Names,
		[]string{"user:" + user}) ||
		id.UID == "" || !slices.Contains(id.Groups, "system:serviceaccounts:monitoring") ||
		id.Issuer != f.URL ||
		id.Extra["authentication.kubernetes.io/pod-name"][0] != "prometheus-k8s-0" {
		t.Fatalf("identity %+v", id)
	}
	p, _ := ParsePolicy("group:system:serviceaccounts:monitoring")
	if _, ok := p.Allows(id); !ok {
		t.Fatal("its group does not pass")
	}
}

func TestTokenReviewRefuses(t *testing.T) {
	f := newAPIFake(t)
	unaware := func(w http.ResponseWriter, _ *http.Request) {
		f.answer(w, "tokenreview-good", func(body map[string]any) {
			delete(body["status"].(map[string]any),
				"audiences")
		})
	}
	nobody := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(
				[]byte(`{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","status":` + body + `}`),
			)
		}
	}
	for _, test := range []struct {
		name, token string
		audiences   []string
		override    http.HandlerFunc
		reason      string // empty: good
	}{
		{"good for the server itself", podToken, nil, nil, ""},
		{"good", podToken, []string{"metrics-gate"}, nil, ""},
		{"another audience", podToken, []string{"vault"}, nil, ReasonBad},
		{"unknown token", "abc", []string{"metrics-gate"}, nil, ReasonBad},
		{"expired token", staleToken, nil, nil, ReasonExpired},
		{"server that ignores audiences", podToken, []string{"metrics-gate"}, unaware, ReasonBad},
		{"no user name", podToken, nil, nobody(`{"authenticated":true,"user":{}}`), ReasonBad},
		{"anonymous", podToken, nil, nobody(`{"authenticated":true,"user":{"username":"system:anonymous"}}`),
			ReasonBad},
		{"no status", podToken, nil, nobody(`{}`), ReasonBad},
		{"user without a yes", podToken, nil, nobody(`{"user":{"username":"a"}}`), ReasonBad},
	} {
		t.Run(test.name, func(t *testing.T) {
			f.set(func() { f.override = test.override })
			o := f.options(t)
			o.Audiences = test.audiences
			_, err := newReview(t, o).Authenticate(request("Bearer " + test.token))
			if test.reason == "" && err == nil {
				return
			}
			if err == nil || reasonOf(err) != test.reason || errors.Is(err, ErrNoCredential) {
				t.Fatalf("%v; want %q", err, test.reason)
			}
			if strings.Contains(err.Error(), test.token) {
				t.Fatalf("error shows the token: %v", err)
			}
		})
	}
}

func TestTokenReviewCachesVerdicts(t *testing.T) {
	f, now := newAPIFake(t), newClock()
	o := f.options(t)
	o.Now = now.Now
	review := newReview(t, o)
	ask := func(token string, calls int) {
		t.Helper()
		_, err := review.Authenticate(request("Bearer " + token))
		if good := token == podToken; good != (err == nil) {
			t.Fatal(err)
		}
		if n := f.calls(); n != calls {
			t.Fatalf("%d calls, want %d", n, calls)
		}
	}
	ask(podToken, 1)
	ask("abc", 2)
	now.Advance(reviewDenied - 1)
	ask("abc", 2)
	now.Advance(1)
	ask("abc", 3)
	now.Advance(reviewAllowed - reviewDenied - 1)
	ask(podToken, 3)
	now.Advance(1)
	ask(podToken, 4)
}

func TestTokenReviewVerdictEndsWithTheToken(t *testing.T) {
	f, now := newAPIFake(t), newClock()
	now.Advance(time.Date(2099, 12, 31, 23, 59, 50, 0, time.UTC).Sub(now.Now()))
	o := f.options(t)
	o.Now = now.Now
	review := newReview(t, o)
	for i, want := range []int{1, 1, 2} {
		if _, err := review.Authenticate(request("Bearer " + podToken)); err != nil {
			t.Fatal(err)
		}
		if n := f.calls(); n != want {
			t.Fatalf("request %d: %d calls, want %d", i, n, want)
		}
		now.Advance(5 * time.Second)
	}
}

func TestTokenReviewAdmits(t *testing.T) {
	f := newAPIFake(t)
	o := f.options(t)
	admitted := true
	o.Admit = func(*http.Request) bool { return admitted }
	review := newReview(t, o)
	if _, err := review.Authenticate(request("Bearer " + podToken)); err != nil {
		t.Fatal(err)
	}
	admitted = false
	if _, err := review.Authenticate(request("Bearer " + podToken)); err != nil {
		t.Fatalf("a cached token: %v", err)
	}
	if _, err := review.Authenticate(request("Bearer new")); !errors.Is(err, ErrThrottled) {
		t.Fatalf("a new token: %v", err)
	}
	if n := f.calls(); n != 1 {
		t.Fatalf("%d calls, want 1", n)
	}
}
