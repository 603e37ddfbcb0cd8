package auth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

func newAccess(t testing.TB, o KubernetesOptions) *AccessReview {
	t.Helper()
	review, err := NewAccessReview(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(review.Close)
	return review
}

func pod() Identity {
	return Identity{Method: MethodKubernetes, User: "system:serviceaccount:monitoring:prometheus-k8s", UID: "1b4a",
		Groups: []string{"system:serviceaccounts"}, Extra: map[string][]string{"pod": {"a"}}}
}

func TestAccessReview(t *testing.T) {
	f := newAPIFake(t)
	f.rbac["prometheus.example /metrics"] = true
	review := newAccess(t, f.options(t))
	for _, test := range []struct {
		name, method, path string
		id                 Identity
		err                error
	}{
		{"pod", "GET", "/metrics", pod(), nil},
		{"head is get", "HEAD", "/metrics", pod(), nil},
		{"query", "GET", "/metrics?x=y", pod(), nil},
		{"another path", "GET", "/debug/pprof/heap", pod(), ErrDenied},
		{"symbol's post is get", "POST", "/debug/pprof/symbol", pod(), ErrDenied},
		{"certificate's CN", "GET", "/metrics", Identity{Method: MethodCertificate, User: "prometheus.example"}, nil},
		{"static token", "GET", "/metrics", Identity{Method: MethodToken, User: "token:a"}, ErrDenied},
		{"no user", "GET", "/metrics", Identity{Method: MethodCertificate, Groups: []string{"system:masters"}},
			ErrDenied},
	} {
		err := review.Authorize(httptest.NewRequest(test.method, test.path, nil), test.id)
		if !errors.Is(err, test.err) || (err == nil) != (test.err == nil) {
			t.Errorf("%s: %v, want %v", test.name, err, test.err)
		}
		if errors.Is(err, ErrDenied) && test.id.User != "" && !strings.Contains(err.Error(), "nonResourceURLs") {
			t.Errorf("%s: %v does not say what to change", test.name, err)
		}
	}
}

func TestAccessReviewSendsUserGroupsAndExtra(t *testing.T) {
	f := newAPIFake(t)
	if err := newAccess(t, f.options(t)).Authorize(request(), pod()); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"nonResourceAttributes": map[string]any{"path": "/metrics", "verb": "get"},
		"user":                  pod().User, "uid": "1b4a",
		"groups": []any{"system:serviceaccounts"}, "extra": map[string]any{"pod": []any{"a"}},
	}
	if !reflect.DeepEqual(f.last, want) {
		t.Fatalf("spec %v, want %v", f.last, want)
	}
}

func TestAccessReviewCachesVerdicts(t *testing.T) {
	f, now := newAPIFake(t), newClock()
	o := f.options(t)
	o.Now = now.Now
	review := newAccess(t, o)
	ask := func(path string, calls int) {
		t.Helper()
		err := review.Authorize(httptest.NewRequest("GET", path, nil), pod())
		if good := path == "/metrics"; good != (err == nil) {
			t.Fatal(err)
		}
		if n := f.calls(); n != calls {
			t.Fatalf("%d calls, want %d", n, calls)
		}
	}
	ask("/metrics", 1)
	ask("/other", 2)
	now.Advance(reviewDenied - 1)
	ask("/other", 2)
	now.Advance(1)
	ask("/other", 3)
	f.set(func() { delete(f.rbac, pod().User+" /metrics") })
	now.Advance(reviewAllowed - reviewDenied - 1)
	ask("/metrics", 3)
	now.Advance(1)
	if err := review.Authorize(request(), pod()); !errors.Is(err, ErrDenied) {
		t.Fatalf("a right taken away: %v", err)
	}
}

func TestAccessReviewRefusesOddAnswers(t *testing.T) {
	f := newAPIFake(t)
	const (
		version = `"apiVersion":"authorization.k8s.io/v1"`
		access  = `{"kind":"SubjectAccessReview",` + version
		token   = `{"kind":"TokenReview",` + version
	)
	for body, want := range map[string]error{
		access + `,"status":{"allowed":true,"denied":true}}`: ErrDenied,
		access + "}":                          ErrDenied,
		token + `,"status":{"allowed":true}}`: ErrUnavailable,
		`{"status":{"allowed":true}}`:         ErrUnavailable,
	} {
		f.set(func() {
			f.override = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
		})
		if err := newAccess(t, f.options(t)).Authorize(request(), pod()); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", body, err, want)
		}
	}
}

// Each case changes one thing of a review: no two reviews share a verdict.
func TestDifferentReviewsHaveDifferentKeys(t *testing.T) {
	seen := map[[32]byte]string{}
	for name, edit := range map[string]func(*Identity) string{
		"as it is":  func(*Identity) string { return "/metrics" },
		"path":      func(*Identity) string { return "/metric" },
		"user":      func(i *Identity) string { i.User = "u"; return "/metrics" },
		"uid":       func(i *Identity) string { i.UID = ""; return "/metrics" },
		"no groups": func(i *Identity) string { i.Groups = nil; return "/metrics" },
		"two groups": func(i *Identity) string {
			i.Groups = []string{"system:",
				"serviceaccounts"}
			return "/metrics"
		},
		"extra value": func(i *Identity) string { i.Extra = map[string][]string{"pod": {"b"}}; return "/metrics" },
		"extra key":   func(i *Identity) string { i.Extra = map[string][]string{"po": {"da"}}; return "/metrics" },
		"no extra":    func(i *Identity) string { i.Extra = nil; return "/metrics" },
		"more extra":  func(i *Identity) string { i.Extra["x"] = nil; return "/metrics" },
	} {
		id := pod()
		path := edit(&id)
		key := accessKey(id, path)
		if other, ok := seen[key]; ok {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[key] = name
	}
}
