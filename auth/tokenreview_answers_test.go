package auth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every recorded answer is sent to the reviews, byte for byte.
func TestKubernetesAnswers(t *testing.T) {
	f := newAPIFake(t)
	const user = "system:serviceaccount:monitoring:prometheus-k8s"
	for name, want := range map[string]struct {
		reason string // empty: good
		is     error
	}{
		"tokenreview-good":           {},
		"tokenreview-one-of-two":     {},
		"tokenreview-own-audience":   {},
		"tokenreview-wrong-audience": {ReasonBad, nil},
		"tokenreview-garbage":        {ReasonBad, nil},
		"tokenreview-tampered":       {ReasonBad, nil},
		"tokenreview-deleted":        {ReasonBad, nil},
		"tokenreview-expired":        {ReasonExpired, ErrExpired},
		"tokenreview-forbidden":      {ReasonUnavailable, ErrUnavailable},
		"tokenreview-unauthorized":   {ReasonUnavailable, ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			r := f.answers[name]
			f.set(func() { f.override = func(w http.ResponseWriter, _ *http.Request) { r.answer(w, nil) } })
			asked := r.review(t)
			o := f.options(t)
			o.Audiences = asked.Spec.Audiences
			o.Now = func() time.Time { return time.Date(2026, 11, 22, 23, 11, 28, 0, time.UTC) } // of the recording
			id, err := newReview(t, o).Authenticate(request("Bearer " + asked.Spec.Token))
			if want.reason == "" {
				if err != nil || id.User != user || id.UID == "" ||
					!slices.Contains(id.Groups, "system:serviceaccounts:monitoring") {
					t.Fatalf("%+v, %v", id, err)
				}
				return
			}
			if err == nil || reasonOf(err) != want.reason || want.is != nil && !errors.Is(err, want.is) {
				t.Fatalf("%v, want %s", err, want.reason)
			}
			if strings.Contains(err.Error(), asked.Spec.Token) {
				t.Fatalf("error shows the token: %v", err)
			}
		})
	}
	for name, want := range map[string]error{
		"access-allowed": nil, "access-denied": ErrDenied, "access-forbidden": ErrUnavailable,
		"access-unauthorized": ErrUnavailable,
	} {
		f.set(func() { f.override = func(w http.ResponseWriter, _ *http.Request) { f.answers[name].answer(w, nil) } })
		if err := newAccess(t, f.options(t)).Authorize(request(), pod()); !errors.Is(err, want) ||
			(err == nil) != (want == nil) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

// review is a recorded TokenReview.
func (r *recording) review(t testing.TB) (review tokenReview) {
	t.Helper()
	if err := json.Unmarshal(r.asked, &review); err != nil {
		t.Fatal(err)
	}
	return review
}

// The requests are those that the real API server was sent.
func TestKubernetesAsks(t *testing.T) {
	f := newAPIFake(t)
	var sent *http.Request
	f.override = func(w http.ResponseWriter, r *http.Request) { sent = r.Clone(context.Background()) }
	o := f.options(t)
	o.Audiences = []string{"metrics-gate"}
	want := f.answers["tokenreview-good"]
	_, _ = newReview(t, o).Authenticate(request("Bearer " + want.review(t).Spec.Token))
	same := func(want *recording) {
		t.Helper()
		for _, name := range []string{"Accept", "Accept-Encoding", "Content-Type", "User-Agent"} {
			if !slices.Equal(sent.Header[name], want.request.Header[name]) {
				t.Errorf("%s %q, recorded with %q", name, sent.Header[name], want.request.Header[name])
			}
		}
		var spec struct{ Spec map[string]any }
		if err := json.Unmarshal(want.asked, &spec); err != nil {
			t.Fatal(err)
		}
		if sent.Method != want.request.Method || sent.URL.Path != want.request.URL.Path ||
			!reflect.DeepEqual(f.last, spec.Spec) {
			t.Errorf("%s %s %v, recorded %s %s %v", sent.Method, sent.URL, f.last, want.request.Method,
				want.request.URL, spec.Spec)
		}
	}
	same(want)
	id := Identity{Method: MethodKubernetes, User: "system:serviceaccount:monitoring:prometheus-k8s",
		Groups: []string{"system:serviceaccounts", "system:serviceaccounts:monitoring", "system:authenticated"}}
	_ = newAccess(t, o).Authorize(request(), id)
	same(f.answers["access-allowed"])
}
