package auth

import (
	"crypto/x509"
	"errors"
	"testing"
)

// Of a good token and a good certificate the token is the identity; a bad one refuses.
func TestTokenAndCertificateTogether(t *testing.T) {
	secret, line := newToken(t, "a")
	tokens, err := LoadTokens(tokensFile(t, line))
	if err != nil {
		t.Fatal(err)
	}
	var verdict error
	certificate := NewCertificate(func([][]*x509.Certificate) error { return verdict })
	none, good, bad := []string(nil), []string{"Bearer " + secret}, []string{"Bearer nobody"}
	for _, test := range []struct {
		name          string
		authorization []string
		certificate   string // "", "good", "bad"
		subject       string // empty: refused
		reason        string
	}{
		{"neither", none, "", "", ReasonNone},
		{"certificate", none, "good", "dns:prometheus.example", ReasonSuccess},
		{"token", good, "", "token:a", ReasonSuccess},
		{"both good", good, "good", "token:a", ReasonSuccess},
		{"certificate gone bad", none, "bad", "", ReasonRevoked},
		{"good token, certificate gone bad", good, "bad", "", ReasonRevoked},
		{"bad token", bad, "", "", ReasonUnknown},
		{"bad token, good certificate", bad, "good", "", ReasonUnknown},
		{"own token mistyped, good certificate", []string{"Bearer mg_x"}, "good", "", ReasonUnknown},
		{"two headers, good certificate", append(good, good...), "good", "", ReasonBad},
		{"basic, good certificate", []string{"Basic eDp5"}, "good", "", ReasonBad},
		{"empty header, good certificate", []string{""}, "good", "", ReasonBad},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := request(test.authorization...)
			verdict = nil
			if test.certificate != "" {
				r.TLS = overTLS(leaf(named)).TLS
			}
			if test.certificate == "bad" {
				verdict = ErrRevoked
			}
			for _, a := range []Authenticator{NewChain(tokens, certificate), NewChain(certificate, tokens),
				NewChain(NewChain(certificate, tokens))} {
				id, err := a.Authenticate(r)
				if id.Subject != test.subject || reasonOf(err) != test.reason {
					t.Fatalf("%q, %v; want %q, %s", id.Subject, err, test.subject, test.reason)
				}
			}
		})
	}
}

func TestChainOfCertificatesAlone(t *testing.T) {
	a := NewChain(NewCertificate(trustAll))
	r := overTLS(leaf(named))
	if id, err := a.Authenticate(r); err != nil || id.Subject != "dns:prometheus.example" {
		t.Fatalf("%q, %v", id.Subject, err)
	}
	r.Header.Set("Authorization", "Bearer abc")
	if _, err := a.Authenticate(r); !errors.Is(err, ErrUnknown) || errors.Is(err, ErrNoCredential) {
		t.Fatalf("a token that nobody can judge: %v", err)
	}
}

func TestChainAsksInTurn(t *testing.T) {
	var before, after int
	known := identity(MethodOIDC, "user:a")
	pass := answer{err: ErrNoCredential, asked: &before}
	r := request("Bearer abc")
	id, err := NewChain(pass, answer{id: known}, answer{id: identity(MethodKubernetes, "user:b"),
		asked: &after}).Authenticate(r)
	if err != nil || id.Names[0] != "user:a" || before != 1 || after != 0 {
		t.Fatalf("%+v, %v; asked %d before, %d after", id, err, before, after)
	}
	for _, stop := range []error{ErrUnavailable, ErrThrottled, errors.New("bad")} {
		if _, err := NewChain(pass, answer{err: stop}, answer{id: known, asked: &after}).Authenticate(r); !errors.Is(
			err,
			stop,
		) ||
			after != 0 {
			t.Fatalf("%v; asked %d after it", err, after)
		}
	}
	if _, err := NewChain().Authenticate(request()); !errors.Is(err, ErrNoCredential) {
		t.Fatalf("nobody to ask: %v", err)
	}
}

func TestChainSaysWhatToSend(t *testing.T) {
	certificate, token := NewCertificate(trustAll), answer{err: ErrNoCredential}
	for _, test := range []struct {
		a    Authenticator
		want string
	}{
		{NewChain(certificate), "no credential: present a client certificate"},
		{NewChain(token), "no credential: send Authorization: Bearer and a token"},
		{NewChain(token, certificate),
			"no credential: present a client certificate, or send Authorization: Bearer and a token"},
	} {
		if _, err := test.a.Authenticate(request()); !errors.Is(err, ErrNoCredential) || err.Error() != test.want {
			t.Errorf("%v; want %s", err, test.want)
		}
	}
}
