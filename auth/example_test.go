package auth_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/metrics-gate/metrics-gate/auth"
)

// A server that takes static tokens and client certificates, and lets two callers in.
func Example() {
	secret, line, err := auth.NewToken("prometheus")
	if err != nil {
		log.Fatal(err)
	}
	path := filepath.Join(os.TempDir(), "metrics-gate-example-tokens")
	if err := os.WriteFile(path, []byte(line+"\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	defer os.Remove(path)
	tokens, err := auth.LoadTokens(path)
	if err != nil {
		log.Fatal(err)
	}
	stillTrusted := func([][]*x509.Certificate) error { return nil }
	chain := auth.NewChain(tokens, auth.NewCertificate(stillTrusted))
	allow, err := auth.ParsePolicy("token:prometheus, dns:prometheus.example")
	if err != nil {
		log.Fatal(err)
	}

	options := auth.Options{Metrics: auth.NewMetrics(nil), Challenge: true, AllowList: "METRICS_ALLOW"}
	handler := auth.Authenticate(chain, options)(auth.Authorize(allow, "metrics", options)(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id, _ := auth.FromContext(r.Context())
			fmt.Fprintf(w, "hello, %s", id.Subject)
		})))

	for _, authorization := range []string{"Bearer " + secret, "Bearer nobody"} {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 hello, token:prometheus
	// 401 Unauthorized
}

func ExampleParsePolicy() {
	policy, err := auth.ParsePolicy(`uri:spiffe://example.org/ns/*/sa/prometheus, "group:CN=ops,OU=Groups"`)
	if err != nil {
		log.Fatal(err)
	}
	rule, ok := policy.Allows(auth.Identity{Method: auth.MethodCertificate,
		Names: []string{"uri:spiffe://example.org/ns/monitoring/sa/prometheus"}})
	fmt.Println(ok, rule)
	rule, ok = policy.Allows(auth.Identity{Method: auth.MethodOIDC, Names: []string{"user:alice"},
		Groups: []string{"CN=ops,OU=Groups"}})
	fmt.Println(ok, rule)
	_, err = auth.ParsePolicy("prometheus.example")
	var wrong *auth.PatternError
	fmt.Println(errors.As(err, &wrong), wrong.Pattern)
	// Output:
	// true uri:spiffe://example.org/ns/*/sa/prometheus
	// true group:CN=ops,OU=Groups
	// true prometheus.example
}

// The constructors return all mistakes at once, each with the option that it is about.
func ExampleOptionErrors() {
	_, err := auth.NewOIDC(auth.OIDCOptions{Issuer: "http://idp.example", Algorithms: []string{"none"}})
	for _, mistake := range auth.OptionErrors(err) {
		fmt.Printf("%s: %v\n", mistake.Option, mistake.Err)
	}
	// Output:
	// issuer: not an https URL
	// audiences: not set
	// signing algorithms: not an asymmetric algorithm that the gate has
}
