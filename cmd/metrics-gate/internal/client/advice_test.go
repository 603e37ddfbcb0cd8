package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

func TestAdvice(t *testing.T) {
	for _, test := range []struct {
		credentials Credentials
		err         error
		want        string // part of it; empty if there is none
	}{
		{Credentials{}, x509.UnknownAuthorityError{}, "with --ca FILE"},
		{Credentials{CA: "ca.pem"}, x509.UnknownAuthorityError{}, "another CA than ca.pem"},
		{Credentials{}, x509.HostnameError{Certificate: new(x509.Certificate)},
			"name or address of the gate's certificate"},
		{Credentials{}, http.ErrSchemeMismatch, "http://"},
		{Credentials{}, tls.AlertError(116), "wants a client certificate"},
		{Credentials{Cert: "tls.crt", Key: "tls.key"}, tls.AlertError(48), "refuses the client certificate"},
		{Credentials{}, syscall.ECONNREFUSED, "nothing listens there"},
		{Credentials{}, errors.New("else"), ""},
	} {
		got := test.credentials.Advice(fmt.Errorf("wrapped: %w", test.err))
		if !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%v: %q, want %q", test.err, got, test.want)
		}
	}
}
