package auth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// request returns a GET of /metrics with the given Authorization headers.
func request(authorization ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	if len(authorization) > 0 {
		r.Header["Authorization"] = authorization
	}
	return r
}

func TestBearer(t *testing.T) {
	long := strings.Repeat("a", maxBearer)
	for _, test := range []struct {
		name   string
		values []string
		token  string
		err    error
	}{
		{"none", nil, "", ErrNoCredential},
		{"plain", []string{"Bearer abc"}, "abc", nil},
		{"all characters", []string{"Bearer aZ09-._~+/=="}, "aZ09-._~+/==", nil},
		{"scheme in lower case", []string{"bearer abc"}, "abc", nil},
		{"scheme in upper case", []string{"BEARER abc"}, "abc", nil},
		{"several spaces", []string{"Bearer   abc"}, "abc", nil},
		{"longest", []string{"Bearer " + long}, long, nil},
		{"too long", []string{"Bearer " + long + "a"}, "", ErrBadAuthorization},
		{"two headers", []string{"Bearer abc", "Bearer abc"}, "", ErrBadAuthorization},
		{"good and empty header", []string{"Bearer abc", ""}, "", ErrBadAuthorization},
		{"empty", []string{""}, "", ErrBadAuthorization},
		{"scheme alone", []string{"Bearer"}, "", ErrBadAuthorization},
		{"scheme and space", []string{"Bearer "}, "", ErrBadAuthorization},
		{"no space", []string{"Bearerabc"}, "", ErrBadAuthorization},
		{"tab", []string{"Bearer\tabc"}, "", ErrBadAuthorization},
		{"tab after space", []string{"Bearer \tabc"}, "", ErrBadAuthorization},
		{"space before", []string{" Bearer abc"}, "", ErrBadAuthorization},
		{"space behind", []string{"Bearer abc "}, "", ErrBadAuthorization},
		{"two tokens", []string{"Bearer abc def"}, "", ErrBadAuthorization},
		{"list", []string{"Bearer abc, Bearer def"}, "", ErrBadAuthorization},
		{"parameters", []string{`Bearer realm="x"`}, "", ErrBadAuthorization},
		{"padding inside", []string{"Bearer a=b"}, "", ErrBadAuthorization},
		{"padding alone", []string{"Bearer =="}, "", ErrBadAuthorization},
		{"not ASCII", []string{"Bearer ábc"}, "", ErrBadAuthorization},
		{"scheme folds from a long s", []string{"Bearer\u017f abc"}, "", ErrBadAuthorization},
		{"zero byte", []string{"Bearer a\x00"}, "", ErrBadAuthorization},
		{"basic", []string{"Basic dXNlcjpwYXNz"}, "", ErrBadAuthorization},
		{"token without scheme", []string{"mg_abc"}, "", ErrBadAuthorization},
	} {
		t.Run(test.name, func(t *testing.T) {
			token, err := Bearer(request(test.values...))
			if token != test.token || !errors.Is(err, test.err) || (err == nil) != (test.err == nil) {
				t.Fatalf("Bearer = %q, %v; want %q, %v", token, err, test.token, test.err)
			}
			if errors.Is(err, ErrBadAuthorization) && errors.Is(err, ErrNoCredential) {
				t.Fatal("a header that was presented counts as none")
			}
		})
	}
}

func TestBearerIgnoresOtherPlaces(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/metrics?access_token=abc", nil)
	r.Header.Set("Cookie", "access_token=abc")
	r.Header.Set("Proxy-Authorization", "Bearer abc")
	r.Header.Set("X-Forwarded-Authorization", "Bearer abc")
	if token, err := Bearer(r); token != "" || !errors.Is(err, ErrNoCredential) {
		t.Fatalf("Bearer = %q, %v; want no credential", token, err)
	}
}

// FuzzBearer states that the parser accepts the grammar of RFC 6750, here a regular
// expression, and that no error shows the header.
func FuzzBearer(f *testing.F) {
	grammar := regexp.MustCompile(`\A[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*)\z`)
	for _, seed := range []string{"", "Bearer abc", "bearer  a==", "Basic eDp5", "Bearer a b", "Bearer \x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		token, err := Bearer(request(value))
		want := grammar.FindStringSubmatch(value)
		if want == nil || len(want[1]) > maxBearer {
			if !errors.Is(err, ErrBadAuthorization) || token != "" {
				t.Fatalf("Bearer(%q) = %q, %v; want a refusal", value, token, err)
			}
			if len(value) > 12 && strings.Contains(err.Error(), value) {
				t.Fatalf("error shows the header: %v", err)
			}
			return
		}
		if err != nil || token != want[1] {
			t.Fatalf("Bearer(%q) = %q, %v; want %q", value, token, err, want[1])
		}
	})
}
