package auth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// kubernetesIssuer is an OIDC of the recorded cluster. The server sends the real one's
// answers: 403 without a token, 401 to a token for another audience, else the documents.
func kubernetesIssuer(t *testing.T, token string) (a *OIDC, hosts *[]string) {
	t.Helper()
	all, ca := recordings(t), newTestCA(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, what := range []string{"discovery", "keys"} {
			for _, how := range []string{"anonymous", "audience", "good"} {
				x := all[what+"-"+how]
				if r.URL.Path == x.request.URL.Path &&
					r.Header.Get("Authorization") == x.request.Header.Get("Authorization") {
					x.answer(w, nil)
					return
				}
			}
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{ca.issue(t, "kubernetes.default.svc", x509.ExtKeyUsageServerAuth)},
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	iat, _ := numericDate(podClaims(t, all)["iat"])
	o := OIDCOptions{Issuer: ownAudience, Audiences: []string{"metrics-gate"}, CAFile: ca.file(t),
		Now: func() time.Time { return iat.Add(time.Minute) }}
	if token != "" {
		o.DiscoveryTokenFile = filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(o.DiscoveryTokenFile, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, err := NewOIDC(o)
	if err != nil {
		t.Fatal(err)
	}
	hosts = new([]string)
	a.client.Load().Transport.(*http.Transport).DialContext = func(ctx context.Context, network,
		address string) (net.Conn, error) {
		*hosts = append(*hosts, address)
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}
	return a, hosts
}

// podClaims are those of the recorded token.
func podClaims(t *testing.T, all map[string]*recording) (claims object) {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(all["tokenreview-good"].review(t).Spec.Token,
		".")[1])
	if err == nil {
		claims, err = parseObject(payload)
	}
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

// The keys of an API server are fetched with a discovery token. The recorded token has no
// signature: its key is found, and it is refused.
func TestKubernetesIssuer(t *testing.T) {
	all := recordings(t)
	token := all["tokenreview-good"].review(t).Spec.Token
	for name, test := range map[string]struct {
		bearer string
		want   error
	}{
		"without a discovery token": {"", ErrUnavailable},
		"for another audience":      {all["discovery-audience"].bearer(), ErrUnavailable},
		"API server's own audience": {all["discovery-good"].bearer(), errSignature},
	} {
		t.Run(name, func(t *testing.T) {
			a, hosts := kubernetesIssuer(t, test.bearer)
			_, err := a.Authenticate(request("Bearer " + token))
			if !errors.Is(err, test.want) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			// Its jwks_uri is on another host, which a token must not see.
			if slices.ContainsFunc(*hosts, func(h string) bool { return h != "kubernetes.default.svc:443" }) {
				t.Errorf("asks %s", *hosts)
			}
		})
	}
}

// TestKubernetesClaims reads the claims of a real pod's token.
func TestKubernetesClaims(t *testing.T) {
	a, _ := kubernetesIssuer(t, "")
	claims := podClaims(t, recordings(t))
	id, _, err := a.policy.check(claims, a.options.Now())
	if err != nil || id.User != "system:serviceaccount:monitoring:prometheus-k8s" || claims["iss"] != ownAudience {
		t.Fatalf("%+v, %v", id, err)
	}
	if claims["kubernetes.io"] == nil {
		t.Fatal("no kubernetes.io claim: not a pod's token")
	}
}
