package auth

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

// policyAt is the policy of the tables below and the time they are about.
func policyAt() (claimPolicy, time.Time) {
	return claimPolicy{
		issuer: "https://idp.example", audiences: []string{"gate", "spare"}, user: "sub", groups: "groups",
		maxLifetime: time.Hour, skew: 30 * time.Second,
	}, time.Unix(1_000_000, 0)
}

func parseClaims(t *testing.T, members string) object {
	t.Helper()
	claims, err := parseObject([]byte("{" + members + "}"))
	if err != nil {
		t.Fatalf("%s: %v", members, err)
	}
	return claims
}

func TestClaimTimes(t *testing.T) {
	tests := []struct {
		members string
		want    error
	}{
		{`"exp":1000060,"iat":1000000`, nil},
		{`"exp":1000060.5,"iat":999999.25,"nbf":1000000.75`, nil},
		{`"exp":1.00006e6,"iat":1e6`, nil},
		{`"exp":999971,"iat":999000`, nil},        // 29 s past, within leeway
		{`"exp":999970,"iat":999000`, ErrExpired}, // on the second: RFC 7519 says "on or after"
		{`"exp":1,"iat":0`, ErrExpired},           // 1970
		{`"exp":1000100,"iat":1000030`, nil},      // 30 s ahead
		{`"exp":1000100,"iat":1000031`, errTokenFuture},
		{`"exp":1000060,"iat":999900,"nbf":1000030`, nil},
		{`"exp":1000060,"iat":999900,"nbf":1000031`, errTokenEarly},
		{`"exp":1003600,"iat":1000000`, nil},
		{`"exp":1003601,"iat":1000000`, errLifetime},
		{`"exp":253402300799,"iat":1000000`, errLifetime},
		{`"exp":1000010,"iat":1000010`, errLifetime},
		{`"exp":1000010,"iat":1000020`, errLifetime},
		{`"iat":1000000`, errExpiry},
		{`"exp":1000060`, errIssuedAt},
		{`"exp":"1000060","iat":1000000`, errExpiry},
		{`"exp":1000060,"iat":"1000000"`, errIssuedAt},
		{`"exp":1000060,"iat":1000000,"nbf":"0"`, errNotBefore},
		{`"exp":1000060,"iat":1000000,"nbf":null`, errNotBefore},
		{`"exp":null,"iat":1000000`, errExpiry},
		{`"exp":true,"iat":1000000`, errExpiry},
		{`"exp":[1000060],"iat":1000000`, errExpiry},
		{`"exp":-1,"iat":1000000`, errExpiry},
		{`"exp":1e400,"iat":1000000`, errExpiry},
		{`"exp":9223372036854775808,"iat":1000000`, errExpiry},
	}
	for _, test := range tests {
		policy, now := policyAt()
		if _, err := policy.checkTimes(parseClaims(t, test.members), now); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.members, err, test.want)
		}
	}
}

func TestClaimAudience(t *testing.T) {
	for aud, want := range map[string]bool{
		`"gate"`: true, `["gate"]`: true, `["shop","spare"]`: true,
		`"shop"`: false, `[]`: false, `null`: false, `["shop"]`: false, `"Gate"`: false, `"gate "`: false,
		`["gate",1]`: false, `{"gate":1}`: false, `["gate",["gate"]]`: false, `1`: false, `"gate,spare"`: false,
	} {
		policy, _ := policyAt()
		if got := policy.acceptsAudience(parseClaims(t, `"aud":`+aud)["aud"]); got != want {
			t.Errorf("aud %s: %v, want %v", aud, got, want)
		}
	}
}

// claimNameCase says whom claims name, with these paths of user and groups.
type claimNameCase struct {
	user, groups, members string
	want                  Identity
	err                   error
}

func claimNameCases() []claimNameCase {
	return []claimNameCase{
		{"sub", "groups", `"sub":"a"`, Identity{Subject: "u:a"}, nil},
		{"sub", "groups", `"sub":"a","groups":"x"`, Identity{Subject: "u:a", Groups: []string{"g:x"}}, nil},
		{
			"sub",
			"groups",
			`"sub":"a","groups":["x","","y"]`,
			Identity{Subject: "u:a", Groups: []string{"g:x", "g:y"}},
			nil,
		},
		{"sub", "groups", `"sub":"a","groups":null`, Identity{Subject: "u:a"}, nil},
		{"sub", "groups", `"sub":"a","groups":[1]`, Identity{}, errGroups},
		{"sub", "groups", `"sub":"a","groups":{"x":true}`, Identity{}, errGroups},
		{"sub", "groups", `"sub":"a","groups":["x\n"]`, Identity{}, errGroups},
		{"sub", "groups", `"sub":""`, Identity{}, errSubject},
		{"sub", "groups", `"sub":7`, Identity{}, errSubject},
		{"sub", "groups", `"name":"a"`, Identity{}, errSubject},
		{"name", "groups", `"name":"a"`, Identity{}, errSubject},
		{"name", "groups", `"sub":"s","name":"a"`, Identity{Subject: "u:a"}, nil},
		{"name", "groups", `"sub":"s"`, Identity{}, errUsername},
		{"name", "groups", `"sub":"s","name":["a"]`, Identity{}, errUsername},
		{"name", "groups", `"sub":"s","name":"a\u0000"`, Identity{}, errUsername},
		{"name", "groups", `"sub":"s","name":"a\ud800"`, Identity{}, errUsername},
		{"name", "groups", `"sub":"s","Name":"a"`, Identity{}, errAmbiguous},
		{"email", "groups", `"sub":"s","email":"a@b"`, Identity{Subject: "u:a@b"}, nil},
		{"email", "groups", `"sub":"s","email":"a@b","email_verified":true`, Identity{Subject: "u:a@b"}, nil},
		{"email", "groups", `"sub":"s","email":"a@b","email_verified":false`, Identity{}, errEmail},
		{"email", "groups", `"sub":"s","email":"a@b","email_verified":"true"`, Identity{}, errEmail},
		{
			"sub",
			"realm_access.roles",
			`"sub":"a","realm_access":{"roles":["x"]}`,
			Identity{Subject: "u:a", Groups: []string{"g:x"}},
			nil,
		},
		{"sub", "realm_access.roles", `"sub":"a","realm_access":["roles"]`, Identity{Subject: "u:a"}, nil},
		{
			"sub",
			"https://x.example/groups",
			`"sub":"a","https://x.example/groups":["x"]`,
			Identity{Subject: "u:a", Groups: []string{"g:x"}},
			nil,
		},
		{
			"kubernetes.io.serviceaccount.name",
			"groups",
			`"sub":"a","kubernetes.io":{"serviceaccount":{"name":"b"}}`,
			Identity{Subject: "u:b"},
			nil,
		},
	}
}

func TestClaimNames(t *testing.T) {
	const rest = `,"aud":"gate","exp":1000060,"iat":1000000`
	tests := claimNameCases()
	for _, test := range tests {
		policy, now := policyAt()
		policy.user, policy.groups, policy.userPrefix, policy.groupsPrefix = test.user, test.groups, "u:", "g:"
		id, until, err := policy.check(parseClaims(t, test.members+rest), now)
		if !errors.Is(err, test.err) {
			t.Errorf("%s: %v, want %v", test.members, err, test.err)
			continue
		}
		if err != nil {
			continue
		}
		want := test.want
		want.Method, want.Issuer, want.User, want.Names = MethodOIDC, policy.issuer, want.Subject, []string{
			"user:" + want.Subject,
		}
		if !reflect.DeepEqual(id, want) || until.Unix() != 1000090 {
			t.Errorf("%s: %+v until %d, want %+v", test.members, id, until.Unix(), want)
		}
	}
}

func TestLookup(t *testing.T) {
	tests := []struct {
		path, members, want string
		err                 error
	}{
		{"a", `"a":1`, "1", nil},
		{"a", `"b":1`, "", nil},
		{"a.b", `"a":{"b":1}`, "1", nil},
		{"a.b", `"a.b":1`, "1", nil},
		{"a.b", `"a":{"c":1}`, "", nil},
		{"a.b", `"a":7`, "", nil},
		{"a.b.c", `"a.b":{"c":1}`, "1", nil},
		{"a.b.c", `"a":{"b.c":1}`, "1", nil},
		{"a.b.c", `"a":{"b":{"c":1}}`, "1", nil},
		{"a.b.c", `"a":{"x":0},"a.b":{"c":1}`, "1", nil},
		{"a.b", `"a":{"b":1},"a.b":2`, "", errAmbiguous},
		{"a.b.c", `"a":{"b":{"c":1},"b.c":2}`, "", errAmbiguous},
		{"a.b.c", `"a":{"b":{"c":1}},"a.b":{"c":2}`, "", errAmbiguous},
		{"a.b", `"a":{"b":1,"B":2}`, "", errAmbiguous},
		{"a.b", `"A":{"b":1}`, "", errAmbiguous},
		{"ſ", `"s":1`, "", errAmbiguous},
	}
	for _, test := range tests {
		value, found, err := lookup(parseClaims(t, test.members), test.path)
		number, _ := value.(json.Number)
		if string(number) != test.want || found != (test.want != "") || !errors.Is(err, test.err) {
			t.Errorf("%s in %s: %v %v %v, want %q %v", test.path, test.members, value, found, err, test.want, test.err)
		}
	}
	for path, want := range map[string]bool{"a": true, "a.b": true, "": false, ".a": false, "a.": false,
		"a..b": false} {
		if validClaimPath(path) != want {
			t.Errorf("path %q: %v", path, !want)
		}
	}
	long := strings.TrimSuffix(strings.Repeat("a.", 12), ".")
	if _, found, err := lookup(parseClaims(t, `"a":{"a":{"a":1}}`), long); found || err != nil {
		t.Errorf("long path: %v %v", found, err)
	}
}

func TestParseObject(t *testing.T) {
	for data, want := range map[string]bool{
		`{}`: true, ` {"a" : [ ] } `: true, `{"a":{"b":1},"c":{"b":1}}`: true, `{"":1}`: true,
		``: false, `[]`: false, `"a"`: false, `{} {}`: false, `{}x`: false, `{"a":1,}`: false, `{"a" 1}`: false,
		`{"a":1,"a":1}`: false, `{"a":1,"\u0061":1}`: false, `{"a":[{"b":1,"b":2}]}`: false, `{a:1}`: false,
		"{\"a\":\"\xff\"}": false, `{"a":01}`: false, `{"a":NaN}`: false, "\ufeff{}": false, `{"a":1`: false,
		`{"a":` + strings.Repeat("[", 15) + strings.Repeat("]", 15) + `}`: true,
		`{"a":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + `}`: false,
	} {
		if _, err := parseObject([]byte(data)); (err == nil) != want {
			t.Errorf("%s: %v, want accepted: %v", data, err, want)
		}
	}
}
