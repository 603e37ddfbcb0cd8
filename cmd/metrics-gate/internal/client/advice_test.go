package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
)

// alert is one of crypto/tls, whose type is not exported.
func alert(code uint8) error { return &net.OpError{Op: "remote error", Err: alertError(code)} }

type alertError uint8

func (alertError) Error() string { return "alert" }

func TestAdvice(t *testing.T) {
	for _, test := range []struct {
		credentials Credentials
		err         error
		want        string // part of it; empty if there is none
	}{
		{Credentials{}, x509.UnknownAuthorityError{}, "with --ca FILE"},
		{Credentials{CA: "ca.pem"}, x509.UnknownAuthorityError{}, "another CA than ca.pem"},
		{Credentials{}, x509.CertificateInvalidError{Reason: x509.Expired}, "renew the gate's certificate"},
		{Credentials{}, http.ErrSchemeMismatch, "give it no token"},
		{Credentials{}, alert(116), "wants a client certificate"},
		{Credentials{Cert: "tls.crt", Key: "tls.key"}, alert(48), "refuses the client certificate"},
		{Credentials{}, syscall.ECONNREFUSED, "nothing listens there"},
		{Credentials{}, &net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}, "firewall"},
		{Credentials{}, errors.New("else"), ""},
	} {
		got := test.credentials.Advice(fmt.Errorf("wrapped: %w", test.err))
		if !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%v: %q, want %q", test.err, got, test.want)
		}
	}
}

// A certificate that lacks the name of the URL is told from one of another CA.
func TestNameAdvice(t *testing.T) {
	dir := t.TempDir()
	if err := demofiles.Write(dir); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.StartTLS()
	defer server.Close()
	ca := filepath.Join(dir, "ca.pem")
	for _, test := range []struct {
		credentials Credentials
		want        string // part of the advice; empty if there is no error
	}{
		{Credentials{CA: ca}, ""},
		{Credentials{CA: ca, ServerName: "localhost"}, ""},
		{Credentials{CA: ca, ServerName: "runner.example"}, "only the name differs: give --server-name localhost"},
		{Credentials{ServerName: "runner.example"}, "give --server-name localhost; give the CA"},
	} {
		transport, err := test.credentials.Transport()
		if err != nil {
			t.Fatal(err)
		}
		transport.DisableKeepAlives = true
		_, _, err = Fetch(t.Context(), &http.Client{Transport: transport}, Request{URL: server.URL, Limit: 1 << 10})
		if got := test.credentials.Advice(err); (err == nil) != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%+v: %v: %q, want %q", test.credentials, err, got, test.want)
		}
	}
}

// A fleet's certificates have one name in common, which need not be the first.
func TestNameAdviceListsEveryName(t *testing.T) {
	leaf := &x509.Certificate{DNSNames: []string{"build-03.example", "metrics-gate.internal", "*.example"}}
	err := &tls.CertificateVerificationError{UnverifiedCertificates: []*x509.Certificate{leaf},
		Err: x509.HostnameError{Certificate: leaf, Host: "build-04.example"}}
	const want = "give --server-name build-03.example or metrics-gate.internal or HOST.example; "
	if got, ok := new(Credentials).NameAdvice(err); !ok || !strings.HasPrefix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
