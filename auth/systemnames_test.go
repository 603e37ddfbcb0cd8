package auth

import (
	"errors"
	"testing"
)

// Only the API server's word makes somebody a user of Kubernetes itself; the cluster's own
// issuer may name a service account.
func TestSystemUsersComeFromTheAPIServerOnly(t *testing.T) {
	const account = "system:serviceaccount:monitoring:prometheus-k8s"
	for _, test := range []struct {
		user  string
		asked map[string]bool // by method, whether the API server is asked
	}{
		{"prometheus", map[string]bool{MethodKubernetes: true, MethodOIDC: true, MethodCertificate: true}},
		{"systems:a", map[string]bool{MethodKubernetes: true, MethodOIDC: true, MethodCertificate: true}},
		{"SYSTEM:admin", map[string]bool{MethodKubernetes: true, MethodOIDC: true, MethodCertificate: true}},
		{"idp:" + account, map[string]bool{MethodKubernetes: true, MethodOIDC: true, MethodCertificate: true}},
		{account, map[string]bool{MethodKubernetes: true, MethodOIDC: true}},
		{"system:admin", map[string]bool{MethodKubernetes: true}},
		{"system:node:worker-1", map[string]bool{MethodKubernetes: true}},
		{"system:kube-controller-manager", map[string]bool{MethodKubernetes: true}},
		{"system:serviceaccount:monitoring", map[string]bool{MethodKubernetes: true}},
		{"system:serviceaccount:monitoring:", map[string]bool{MethodKubernetes: true}},
		{"system:serviceaccount::prometheus", map[string]bool{MethodKubernetes: true}},
		{account + ":x", map[string]bool{MethodKubernetes: true}},
		{"system:", map[string]bool{MethodKubernetes: true}},
	} {
		for _, method := range []string{MethodKubernetes, MethodOIDC, MethodCertificate, MethodToken} {
			f := newAPIFake(t)
			f.rbac = map[string]bool{test.user + " /metrics": true}
			err := newAccess(t, f.options(t)).Authorize(request(), Identity{Method: method, User: test.user})
			want := test.asked[method] || method == MethodToken && !isSystemName(test.user)
			if asked := f.calls() > 0; asked != want {
				t.Errorf("%s %q: API server asked %v, want %v", method, test.user, asked, want)
			}
			if want && err != nil || !want && !errors.Is(err, ErrDenied) {
				t.Errorf("%s %q: %v", method, test.user, err)
			}
		}
	}
}

func TestPrefixesStayOutsideTheNamesOfKubernetes(t *testing.T) {
	o := OIDCOptions{Issuer: "https://idp.example", Audiences: []string{"gate"}, SharedNames: true}
	for prefix, good := range map[string]bool{
		"oidc:": true, NoPrefix: true, "systems:": true, "System:": true, "sy:": true, "https://idp.example#": true,
		"system:": false, "system:serviceaccount:": false, "s": false, "sys": false, "system": false,
	} {
		o.UsernamePrefix, o.GroupsPrefix = prefix, prefix
		if err := o.Validate(); (err == nil) != good {
			t.Errorf("prefix %q: %v", prefix, err)
		} else if !good {
			checkOptions(t, err, OptionUsernamePrefix, OptionGroupsPrefix)
		}
	}
}

// A user can often choose a display name or an email address, but no sub.
func TestSystemUsersComeFromSubOnly(t *testing.T) {
	f := newOIDCFixture(t, func(o *OIDCOptions) { o.UsernameClaim = "preferred_username" })
	bySub := f.authenticator(t, nil)
	byPrefix := f.authenticator(t, func(o *OIDCOptions) { o.UsernameClaim, o.UsernamePrefix = "name", "sys" })
	const account = "system:serviceaccount:monitoring:prometheus"
	token := f.key.token(t, f.claims(object{"sub": account, "preferred_username": account, "name": account[3:]}))
	if _, err := f.try(token); !errors.Is(err, errReserved) {
		t.Errorf("from preferred_username: %v, want %v", err, errReserved)
	}
	if _, err := byPrefix.Authenticate(bearerRequest(token)); !errors.Is(err, errReserved) {
		t.Errorf("made by the prefix: %v, want %v", err, errReserved)
	}
	if id, err := bySub.Authenticate(bearerRequest(token)); err != nil || id.User != account {
		t.Errorf("from sub: %q, %v", id.User, err)
	}
}
