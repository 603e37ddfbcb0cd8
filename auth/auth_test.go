package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

func TestDifferentIdentitiesHaveDifferentKeys(t *testing.T) {
	seen := map[string]Identity{}
	for _, id := range []Identity{
		{},
		{Method: "a", Issuer: "b", Subject: "c"},
		{Method: "ab", Subject: "c"},
		{Method: "a", Issuer: "bc"},
		{Method: "a", Subject: "bc"},
		{Method: "a", Issuer: "1:b", Subject: "c"},
		{Method: "a", Issuer: "b1:c"},
		{Method: "a", Issuer: "b", Subject: "1:c"},
		{Method: "a", Issuer: "0:", Subject: ""},
	} {
		if other, ok := seen[id.Key()]; ok {
			t.Errorf("%+v and %+v share the key %q", id, other, id.Key())
		}
		seen[id.Key()] = id
	}
	a := Identity{Method: "a", Subject: "c", Names: []string{"dns:x"}, Groups: []string{"g"}}
	b := Identity{Method: "a", Subject: "c", UID: "1"}
	if a.Key() != b.Key() {
		t.Error("what does not identify is in the key")
	}
}

func TestContextHoldsTheIdentity(t *testing.T) {
	if id, ok := FromContext(context.Background()); ok || id.Method != "" {
		t.Fatalf("an empty context has %+v", id)
	}
	id, ok := FromContext(NewContext(context.Background(), identity(MethodToken, "token:a")))
	if !ok || id.Method != MethodToken {
		t.Fatalf("got %+v, %v", id, ok)
	}
}

func TestRefusalIsItsError(t *testing.T) {
	err := fmt.Errorf("outer: %w", &Refusal{Method: MethodOIDC, Err: fmt.Errorf("inner: %w", ErrExpired)})
	var refusal *Refusal
	if !errors.Is(err, ErrExpired) || !errors.As(err, &refusal) || refusal.Error() != "inner: expired" {
		t.Fatalf("%v, %+v", err, refusal)
	}
}

func TestKeyFromContextIsComputedOnce(t *testing.T) {
	id := Identity{Method: MethodToken, Subject: "token:a"}
	ctx := NewContext(t.Context(), id)
	if got := KeyFromContext(ctx); got != id.Key() || got == KeyFromContext(t.Context()) {
		t.Errorf("key %q, want %q", got, id.Key())
	}
	if n := testing.AllocsPerRun(100, func() { KeyFromContext(ctx) }); n != 0 {
		t.Errorf("%v allocations to ask again", n)
	}
}

// inTurn answers with one identity after the other.
type inTurn []Identity

func (a *inTurn) Authenticate(*http.Request) (Identity, error) {
	id := (*a)[0]
	*a = (*a)[1:]
	return id, nil
}

// Of requests that come one after the other each finds its own identity, whatever the one before was,
// and nobody finds one between them.
func TestReusedContextHoldsOneIdentityAtATime(t *testing.T) {
	ids := inTurn{
		{Method: MethodToken, Subject: "token:a", Digest: "1"},
		{Method: MethodToken, Subject: "token:a", Digest: "2", Groups: []string{"g"}},
		{Method: MethodCertificate, Subject: "token:a"},
		{Method: MethodOIDC, Issuer: "https://i", Subject: "token:a"},
		{Method: MethodOIDC, Issuer: "https://j", Subject: "token:a"},
		{Method: MethodOIDC, Issuer: "https://j", Subject: "user:b"},
	}
	r := httptest.NewRequest("GET", "/metrics", nil).WithContext(ReusedContext(t.Context()))
	for i, want := range slices.Clone(ids) {
		served := false
		serve(Authenticate(&ids, Options{})(http.HandlerFunc(func(_ http.ResponseWriter, in *http.Request) {
			served = true
			id, ok := FromContext(in.Context())
			if !ok || !reflect.DeepEqual(id, want) || KeyFromContext(in.Context()) != want.Key() || in != r {
				t.Errorf("request %d: %+v, key %q", i, id, KeyFromContext(in.Context()))
			}
		})), r)
		if !served {
			t.Error("not served")
		}
		if id, ok := FromContext(r.Context()); ok || KeyFromContext(r.Context()) != (Identity{}).Key() {
			t.Errorf("%+v is left after its request", id)
		}
	}
	serve(Authenticate(answer{err: ErrUnknown}, Options{})(ok), r)
	if id, ok := FromContext(r.Context()); ok {
		t.Errorf("%+v after a refusal", id)
	}
}

// The identity goes when the handler panics, which is how an answer is cut off.
func TestReusedContextForgetsAfterAPanic(t *testing.T) {
	r := httptest.NewRequest("GET", "/metrics", nil).WithContext(ReusedContext(t.Context()))
	func() {
		defer func() { _ = recover() }()
		serve(Authenticate(answer{id: identity(MethodToken, "token:a")}, Options{})(
			http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })), r)
	}()
	if id, ok := FromContext(r.Context()); ok {
		t.Errorf("%+v is left", id)
	}
}

// Requests at the same time do not see each other's identity behind Authenticate, even if they share
// the context by mistake.
func TestRequestsAtOnceInAReusedContext(t *testing.T) {
	r := httptest.NewRequest("GET", "/metrics", nil).WithContext(ReusedContext(t.Context()))
	ids := inTurn{identity(MethodToken, "token:a"), identity(MethodToken, "token:b")}
	seen := []string{}
	var h http.Handler
	h = Authenticate(&ids, Options{})(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		if len(ids) > 0 {
			h.ServeHTTP(w, r) // the other request, while this one is under way
		}
		id, _ := FromContext(in.Context())
		seen = append(seen, id.Names[0])
	}))
	serve(h, r)
	if !slices.Equal(seen, []string{"token:b", "token:a"}) {
		t.Errorf("%q", seen)
	}
}

func TestOnlyOneRequestTakesIt(t *testing.T) {
	for range 2000 {
		var c contextIdentity
		var taken atomic.Int32
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if c.take(Identity{Method: MethodToken}) {
					taken.Add(1)
				}
			})
		}
		if all.Wait(); taken.Load() != 1 {
			t.Fatalf("%d requests took it", taken.Load())
		}
	}
}

func TestKeyOfTheZeroIdentityInAContext(t *testing.T) {
	if key := KeyFromContext(NewContext(t.Context(), Identity{})); key != (Identity{}).Key() {
		t.Errorf("%q", key)
	}
}
