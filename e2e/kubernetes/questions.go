package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	tokenReviews  = "/apis/authentication.k8s.io/v1/tokenreviews"
	accessReviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
	discovery     = "/.well-known/openid-configuration"
	keys          = "/openid/v1/jwks"
	prometheus    = "system:serviceaccount:monitoring:prometheus-k8s"
)

// question is a request as the gate makes it; body is posted, none is a GET.
type question struct {
	name, path, bearer string
	body               any
	status             int // that is expected
}

// The bodies have the gate's fields in the gate's order.
type review struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Spec       any    `json:"spec"`
	Status     object `json:"status"`
}

type tokenSpec struct {
	Token     string   `json:"token"`
	Audiences []string `json:"audiences,omitempty"`
}

type accessSpec struct {
	Attributes struct {
		Path string `json:"path"`
		Verb string `json:"verb"`
	} `json:"nonResourceAttributes"`
	User   string   `json:"user,omitempty"`
	Groups []string `json:"groups,omitempty"`
}

func tokenReview(token string, audiences ...string) review {
	return review{APIVersion: "authentication.k8s.io/v1", Kind: "TokenReview",
		Spec: tokenSpec{token, audiences}, Status: object{"authenticated": false}}
}

func accessReview(user, path string, groups ...string) review {
	spec := accessSpec{User: user, Groups: groups}
	spec.Attributes.Path, spec.Attributes.Verb = path, "get"
	return review{APIVersion: "authorization.k8s.io/v1", Kind: "SubjectAccessReview",
		Spec: spec, Status: object{"allowed": false}}
}

var podGroups = []string{"system:serviceaccounts", "system:serviceaccounts:monitoring", "system:authenticated"}

// forbidden is asked before the gate may ask.
func forbidden(t tokens) []question {
	return []question{
		{"tokenreview-forbidden", tokenReviews, t.gate, tokenReview(t.pod, "metrics-gate"), http.StatusForbidden},
		{
			"access-forbidden",
			accessReviews,
			t.gate,
			accessReview(prometheus, "/metrics", podGroups...),
			http.StatusForbidden,
		},
	}
}

func answered(t tokens) []question {
	return []question{
		{"tokenreview-good", tokenReviews, t.gate, tokenReview(t.pod, "metrics-gate"), http.StatusCreated},
		{
			"tokenreview-one-of-two",
			tokenReviews,
			t.gate,
			tokenReview(t.pod, "other", "metrics-gate"),
			http.StatusCreated,
		},
		{"tokenreview-own-audience", tokenReviews, t.gate, tokenReview(t.api), http.StatusCreated},
		{"tokenreview-wrong-audience", tokenReviews, t.gate, tokenReview(t.pod, "vault"), http.StatusCreated},
		{"tokenreview-garbage", tokenReviews, t.gate, tokenReview("abc", "metrics-gate"), http.StatusCreated},
		{"tokenreview-tampered", tokenReviews, t.gate, tokenReview(t.tampered, "metrics-gate"), http.StatusCreated},
		{"tokenreview-expired", tokenReviews, t.gate, tokenReview(t.expired, "metrics-gate"), http.StatusCreated},
		{"tokenreview-unauthorized", tokenReviews, "abc", tokenReview(t.pod, "metrics-gate"), http.StatusUnauthorized},
		{
			"access-allowed",
			accessReviews,
			t.gate,
			accessReview(prometheus, "/metrics", podGroups...),
			http.StatusCreated,
		},
		{
			"access-denied",
			accessReviews,
			t.gate,
			accessReview(prometheus, "/debug/pprof/heap", podGroups...),
			http.StatusCreated,
		},
		{"access-unauthorized", accessReviews, "abc", accessReview(prometheus, "/metrics"), http.StatusUnauthorized},
		{"discovery-anonymous", discovery, "", nil, http.StatusForbidden},
		{"discovery-audience", discovery, t.pod, nil, http.StatusUnauthorized},
		{"discovery-good", discovery, t.gate, nil, http.StatusOK},
		{"keys-anonymous", keys, "", nil, http.StatusForbidden},
		{"keys-audience", keys, t.pod, nil, http.StatusUnauthorized},
		{"keys-good", keys, t.gate, nil, http.StatusOK},
	}
}

// deleted deletes an account whose token was good and records the first no.
func (r recorder) deleted(t tokens) error {
	q := question{
		"tokenreview-deleted",
		tokenReviews,
		t.gate,
		tokenReview(t.leaver, "metrics-gate"),
		http.StatusCreated,
	}
	before, err := r.ask(q)
	if err != nil || !before.authenticated() {
		return fmt.Errorf("token before its account is deleted: %w, %s", err, before.body)
	}
	const leaver = "/api/v1/namespaces/monitoring/serviceaccounts/leaver"
	if err := r.call(http.MethodDelete, leaver, object{}, nil); err != nil {
		return err
	}
	for start := time.Now(); ; {
		x, err := r.ask(q)
		if err != nil {
			return err
		}
		if !x.authenticated() {
			fmt.Printf("no to a deleted account's token after %.1f s\n", time.Since(start).Seconds())
			return r.write(q, x)
		}
		if time.Since(start) > time.Minute {
			return fmt.Errorf("a deleted account's token is still good: %s", x.body)
		}
		time.Sleep(100 * time.Millisecond) //permit:time.Sleep between questions to a real API server, for a minute
	}
}

func (x exchange) authenticated() bool {
	return strings.Contains(string(x.body), `"authenticated":true`)
}
