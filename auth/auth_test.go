package auth

import (
	"context"
	"errors"
	"fmt"
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
