package auth

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// seen records who was sent which Authorization header.
type seen struct {
	mu      sync.Mutex
	headers []string
}

func (s *seen) add(who string, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.headers = append(s.headers, who+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
}

// The issuer is as a Kubernetes API server: it requires a token everywhere and publishes
// its keys at another address.
func TestDiscoveryTokenGoesToTheIssuerOnly(t *testing.T) {
	const token = "s3cr3t.discovery"
	const own = "own /.well-known/openid-configuration Bearer " + token + ";own /openid/v1/jwks Bearer " + token
	tests := map[string]struct {
		own, foreign bool // who answers the key path well
		token        bool
		want         string
	}{
		"issuer has the keys too": {true, true, true, own},
		"only jwks_uri has them": {
			false,
			true,
			true,
			own + ";foreign /openid/v1/jwks ",
		},
		"public issuer, two hosts": {
			true,
			true,
			false,
			"own /.well-known/openid-configuration ;foreign /openid/v1/jwks ",
		},
	}
	for name, test := range tests {
		var asked seen
		foreign := newFakeIssuer(t)
		f := newOIDCFixture(t, nil)
		keys := jwkSet(t, f.key)
		serve := func(who string, good bool) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				asked.add(who, r)
				switch {
				case strings.HasPrefix(r.URL.Path, "/.well-known/"):
					fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, f.issuer.URL, foreign.URL+"/openid/v1/jwks")
				case good:
					_, _ = w.Write(keys)
				default:
					fmt.Fprint(w, "<html>not here</html>")
				}
			}
		}
		f.issuer.answer(serve("own", test.own))
		foreign.answer(serve("foreign", test.foreign))
		f.oidc = f.authenticator(t, func(o *OIDCOptions) {
			o.CAFile = joinFiles(t, f.issuer.ca, foreign.ca)
			if test.token {
				o.DiscoveryTokenFile = oidcFile(t, "token", token+"\n")
			}
		})
		if _, err := f.try(f.good(t)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := strings.Join(asked.headers, ";"); got != test.want {
			t.Errorf("%s: asked\n%s, want\n%s", name, got, test.want)
		}
	}
}

func TestIssuerIsHostAndPort(t *testing.T) {
	for issuer, cases := range map[string]map[string]bool{
		"https://idp.example/realm": {
			"https://idp.example/keys": true, "https://idp.example:443": true, "https://IDP.example": true,
			"https://idp.example:8443": false, "http://idp.example": false, "https://idp.example.evil": false,
			"https://sub.idp.example": false, "https://10.0.0.1": false,
		},
		"https://[::1]:6443": {"https://[::1]:6443/keys": true, "https://[::1]/keys": false},
	} {
		for raw, want := range cases {
			u, err := url.Parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			if got := (&remoteKeys{issuer: issuer}).isIssuer(u); got != want {
				t.Errorf("%s is on %s: %v, want %v", raw, issuer, got, want)
			}
		}
	}
}

func TestDiscoveryTokenIsReadOnUse(t *testing.T) {
	var asked seen
	f := newOIDCFixture(t, nil)
	path := oidcFile(t, "token", "one")
	keys := jwkSet(t, f.key)
	f.issuer.answer(func(w http.ResponseWriter, r *http.Request) {
		asked.add("own", r)
		if strings.HasPrefix(r.URL.Path, "/.well-known/") {
			fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, f.issuer.URL, f.issuer.URL+"/keys")
			return
		}
		_, _ = w.Write(keys)
	})
	f.oidc = f.authenticator(t, func(o *OIDCOptions) { o.DiscoveryTokenFile = path })
	for _, token := range []string{"one", "two", "bad token", ""} {
		if err := os.WriteFile(path, []byte(token), 0o644); err != nil {
			t.Fatal(err)
		}
		err := f.oidc.keys.refresh(t.Context())
		if good := token == "one" || token == "two"; (err == nil) != good {
			t.Errorf("%q: %v", token, err)
		}
		if err != nil && strings.Contains(err.Error(), "bad token") {
			t.Errorf("error shows the token: %v", err)
		}
		f.clock.Advance(time.Minute)
	}
	got := strings.Join(asked.headers, ";")
	if want := "own /.well-known/openid-configuration Bearer one;own /keys Bearer one;" +
		"own /keys Bearer two"; got != want {
		t.Errorf("asked\n%s, want\n%s", got, want)
	}
}

func TestDiscoveryDocuments(t *testing.T) {
	key := newECKey(t, "k1")
	foreign := newFakeIssuer(t, key)
	tests := map[string]struct {
		document string // ISSUER and FOREIGN stand for the addresses
		want     bool
	}{
		"good": {`{"issuer":"ISSUER","jwks_uri":"ISSUER/keys"}`, true},
		"more members": {
			`{"issuer":"ISSUER","jwks_uri":"ISSUER/keys","scopes_supported":["openid"]}`,
			true,
		},
		"keys elsewhere":       {`{"issuer":"ISSUER","jwks_uri":"FOREIGN/keys"}`, true},
		"other issuer":         {`{"issuer":"FOREIGN","jwks_uri":"ISSUER/keys"}`, false},
		"issuer with a slash":  {`{"issuer":"ISSUER/","jwks_uri":"ISSUER/keys"}`, false},
		"no issuer":            {`{"jwks_uri":"ISSUER/keys"}`, false},
		"issuer twice":         {`{"issuer":"FOREIGN","issuer":"ISSUER","jwks_uri":"ISSUER/keys"}`, false},
		"Issuer":               {`{"Issuer":"ISSUER","jwks_uri":"ISSUER/keys"}`, false},
		"no jwks_uri":          {`{"issuer":"ISSUER"}`, false},
		"jwks_uri over http":   {`{"issuer":"ISSUER","jwks_uri":"http://127.0.0.1/keys"}`, false},
		"jwks_uri a file":      {`{"issuer":"ISSUER","jwks_uri":"file:///etc/passwd"}`, false},
		"jwks_uri relative":    {`{"issuer":"ISSUER","jwks_uri":"/keys"}`, false},
		"jwks_uri with a user": {`{"issuer":"ISSUER","jwks_uri":"https://a:b@127.0.0.1/keys"}`, false},
		"jwks_uri number":      {`{"issuer":"ISSUER","jwks_uri":5}`, false},
		"jwks_uri has no keys": {`{"issuer":"ISSUER","jwks_uri":"ISSUER/none"}`, false},
		"not an object":        {`["ISSUER"]`, false},
		"nothing":              {``, false},
		"keys instead":         {string(jwkSet(t, key)), false},
		"larger than a mebibyte": {
			`{"issuer":"ISSUER","jwks_uri":"ISSUER/keys","x":"` + strings.Repeat("x", maxDocument) + `"}`,
			false,
		},
	}
	for name, test := range tests {
		f := newOIDCFixture(t, nil)
		f.issuer.publish(jwkSet(t, key))
		document := strings.NewReplacer("ISSUER", f.issuer.URL, "FOREIGN", foreign.URL).Replace(test.document)
		f.issuer.answer(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/.well-known/openid-configuration":
				fmt.Fprint(w, document)
			case "/keys":
				_, _ = w.Write(jwkSet(t, key))
			default:
				http.NotFound(w, r)
			}
		})
		f.oidc = f.authenticator(t, func(o *OIDCOptions) { o.CAFile = joinFiles(t, f.issuer.ca, foreign.ca) })
		if err := f.oidc.keys.refresh(t.Context()); (err == nil) != test.want {
			t.Errorf("%s: %v, want accepted: %v", name, err, test.want)
		}
	}
}

// A jwks_uri is used for an hour at most, and no longer once it fails.
func TestDiscoveryFollowsMovedKeys(t *testing.T) {
	f := newOIDCFixture(t, nil)
	refresh := func() error {
		f.clock.Advance(time.Minute)
		return f.oidc.keys.refresh(t.Context())
	}
	for range 3 {
		if err := refresh(); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.issuer.discovered.Load(); n != 1 {
		t.Errorf("discovered %d times, want once", n)
	}
	f.issuer.publish([]byte("moved"))
	if refresh() == nil {
		t.Error("moved keys were read")
	}
	f.issuer.publish(jwkSet(t, f.key))
	if err := refresh(); err != nil || f.issuer.discovered.Load() != 2 {
		t.Errorf("after a failure: %v, discovered %d times, want twice", err, f.issuer.discovered.Load())
	}
	f.clock.Advance(time.Hour)
	if err := refresh(); err != nil || f.issuer.discovered.Load() != 3 {
		t.Errorf("after an hour: %v, discovered %d times, want 3", err, f.issuer.discovered.Load())
	}
}

func TestIssuerTLSIsVerified(t *testing.T) {
	f := newOIDCFixture(t, nil)
	if transport, ok := f.oidc.client.Load().Transport.(*http.Transport); !ok || transport.Proxy != nil {
		t.Error("the environment's proxy would see the discovery token")
	}
	otherCA := oidcFile(t, "ca", pemOf(selfSigned(t)))
	for name, ca := range map[string]string{"system roots": "", "another CA": otherCA} {
		a := f.authenticator(t, func(o *OIDCOptions) { o.CAFile = ca })
		if err := a.keys.refresh(t.Context()); err == nil {
			t.Errorf("%s: certificate accepted", name)
		}
	}
	if err := f.oidc.keys.refresh(t.Context()); err != nil {
		t.Errorf("its own CA: %v", err)
	}
}
