package auth

import (
	"os"
	"slices"
	"testing"
)

// An issuer cannot name a service account unless the operator permits it.
func TestPrefixesKeepNamesApart(t *testing.T) {
	f := newOIDCFixture(t, nil)
	f.issuer.publish(issuerFile(t, "keys-good.json"))
	o := f.oidc.options
	o.SharedNames = true
	for _, test := range []struct {
		user, groups string
		wrong        []Option
	}{
		{"", "", []Option{OptionUsernamePrefix, OptionGroupsPrefix}},
		{"idp:", "", []Option{OptionGroupsPrefix}},
		{"", NoPrefix, []Option{OptionUsernamePrefix}},
		{"idp:", NoPrefix, nil},
		{NoPrefix, NoPrefix, nil},
	} {
		o.UsernamePrefix, o.GroupsPrefix = test.user, test.groups
		_, err := NewOIDC(o)
		var wrong []Option
		for _, e := range OptionErrors(err) {
			wrong = append(wrong, e.Option)
		}
		if !slices.Equal(wrong, test.wrong) {
			t.Errorf("prefixes %q and %q: %v, want %q", test.user, test.groups, err, test.wrong)
		}
	}
	token := fileKey(t).token(t, f.fileClaims(t, "claims-service-account.json"))
	for prefix, want := range map[string]string{
		"idp:":   "user:idp:system:serviceaccount:monitoring:prometheus",
		NoPrefix: "user:system:serviceaccount:monitoring:prometheus",
	} {
		o.UsernamePrefix, o.GroupsPrefix = prefix, prefix
		a, err := NewOIDC(o)
		if err != nil {
			t.Fatal(err)
		}
		if id, err := a.Authenticate(bearerRequest(token)); err != nil || id.Names[0] != want {
			t.Errorf("prefix %q: %q, %v", prefix, id.Names, err)
		}
	}
}

func TestCABundlesAreTakenWhole(t *testing.T) {
	f := newAPIFake(t)
	for _, bundle := range []string{"bundle-half.pem", "bundle-glued.pem"} {
		path := "testdata/certificate/" + bundle
		o := OIDCOptions{Issuer: "https://idp.example", Audiences: []string{"gate"}, CAFile: path}
		if _, err := NewOIDC(o); !blames(err, OptionCAFile, path) {
			t.Errorf("issuer: %v", err)
		}
		k := f.options(t)
		k.CAFile = path
		if _, err := NewTokenReview(k); !blames(err, OptionAPICAFile, path) {
			t.Errorf("TokenReview: %v", err)
		}
		if _, err := NewAccessReview(k); !blames(err, OptionAPICAFile, path) {
			t.Errorf("SubjectAccessReview: %v", err)
		}
	}
	whole := string(mustRead(t, "testdata/certificate/bundle-whole.pem"))
	path := oidcFile(t, "ca.pem", whole)
	a, err := NewOIDC(OIDCOptions{Issuer: "https://idp.example", Audiences: []string{"gate"}, CAFile: path})
	if err != nil {
		t.Fatal(err)
	}
	client := a.client.Load()
	if err := os.WriteFile(path, mustRead(t, "testdata/certificate/bundle-half.pem"), 0o600); err != nil {
		t.Fatal(err)
	}
	if changed, err := a.Reload(); changed || !blames(err, OptionCAFile, path) || a.client.Load() != client {
		t.Errorf("reload of a bundle that is cut off: changed %v, %v", changed, err)
	}
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// blames reports whether err is one OptionError about that option and value.
func blames(err error, option Option, value string) bool {
	all := OptionErrors(err)
	return len(all) == 1 && all[0].Option == option && all[0].Value == value
}
