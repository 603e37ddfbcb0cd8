package auth

import (
	"errors"
	"strings"
	"testing"
)

func TestRequiredClaims(t *testing.T) {
	claims := parseClaims(t, `"s":"a","n":1,"f":1.5,"e":1e3,"big":9007199254740993,"yes":true,"no":false,"nil":null,
		"list":["a",1,true,["nested"]],"obj":{"in":{"deep":"x"}},"dot.ted":"y","comma":"a,b","empty":"","none":[]`)
	for list, want := range map[string]bool{
		"": true, "s=a": true, "s=A": false, "s=": false, "missing=a": false,
		"n=1": true, "n=1.0": true, "n=01": true, "n=2": false, "f=1.5": true, "f=1": false, "e=1000": true,
		"big=9007199254740993": true, "big=9007199254740992": false,
		"yes=true": true, "yes=false": false, "no=false": true, "yes=1": false, "nil=null": false, "nil=": false,
		"list=a": true, "list=1": true, "list=true": true, "list=b": false, "list=nested": false, "none=a": false,
		"list=a,list=1": true, "list=a,list=b": false, "obj.in.deep=x": true, "obj.in=x": false, "dot.ted=y": true,
		`"comma=a,b"`: true, "s=a, n=1 ,yes=true": true, "S=a": false, "obj.IN.deep=x": false,
	} {
		var required RequiredClaims
		if err := required.UnmarshalText([]byte(list)); err != nil {
			if want {
				t.Errorf("%s: %v", list, err)
			}
			continue
		}
		if err := required.check(claims); (err == nil) != want {
			t.Errorf("%s: %v, want met: %v", list, err, want)
		}
		var again RequiredClaims
		if err := again.UnmarshalText([]byte(required.String())); err != nil || again.String() != required.String() {
			t.Errorf("%s is read back as %s, %v", required, again, err)
		}
	}
}

func TestRequiredClaimsErrors(t *testing.T) {
	required := RequiredClaims{{"old", "value"}}
	err := required.UnmarshalText([]byte(`a=1,b,=c,d=,e..f=1,"g=1`))
	if err == nil || len(required) != 0 {
		t.Fatalf("%v, %v", required, err)
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 5 ||
		!strings.HasPrefix(lines[0], `claim "b": want NAME=VALUE`) {
		t.Errorf("errors:\n%v\nwant five", err)
	}
}

func TestOIDCRequiresClaims(t *testing.T) {
	f := newOIDCFixture(t, func(o *OIDCOptions) {
		o.RequiredClaims = RequiredClaims{{"project_path", "ops/monitoring"}, {"ref_protected", "true"}}
	})
	for _, test := range []struct {
		claims object
		good   bool
	}{
		{object{"project_path": "ops/monitoring", "ref_protected": "true"}, true},
		{object{"project_path": "ops/monitoring", "ref_protected": true}, true},
		{object{"project_path": "evil/project", "ref_protected": true}, false},
		{object{"project_path": "ops/monitoring"}, false},
		{nil, false},
	} {
		_, err := f.try(f.key.token(t, f.claims(test.claims)))
		if (err == nil) != test.good {
			t.Errorf("%v: %v", test.claims, err)
		}
		var refusal *Refusal
		if err != nil &&
			(!errors.As(err, &refusal) || detail(refusal, "claim") == "" || strings.Contains(err.Error(), "evil")) {
			t.Errorf("%v: %v, details %v", test.claims, err, refusal.Details)
		}
	}
}

// detail returns a value of refusal.Details; "" if there is none.
func detail(refusal *Refusal, key string) string {
	for _, attr := range refusal.Details {
		if attr.Key == key {
			return attr.Value.String()
		}
	}
	return ""
}
