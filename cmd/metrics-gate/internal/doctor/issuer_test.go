package doctor

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

const twoKeys = `{"keys":[{"kty":"RSA","use":"sig"},{"kty":"EC"},{"kty":"RSA","use":"enc"},{"kty":"oct"}]}`

// issuerOf starts an issuer and a doctor who trusts it.
func issuerOf(t *testing.T, h func(url string) http.Handler, environ ...string) (*doctor, *httptest.Server) {
	t.Helper()
	var s *httptest.Server
	s = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h(s.URL).ServeHTTP(w, r) }))
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "issuer.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return patient(t, append([]string{
		config.Prefix + "OIDC_ISSUER_URL=" + s.URL, config.Prefix + "OIDC_AUDIENCE=gate", config.Prefix + "OIDC_CA_FILE=" + ca,
	}, environ...)...), s
}

// provider answers discovery with document (a format of the URL) and keys with keys.
func provider(document, keys string) func(string) http.Handler {
	return func(url string) http.Handler {
		mux := http.NewServeMux()
		mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, document, url)
		})
		mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(keys)) })
		return mux
	}
}

func TestDoctorOfAnIssuer(t *testing.T) {
	const good = `{"issuer":"%[1]s","jwks_uri":"%[1]s/keys"}`
	for _, test := range []struct {
		name, document, keys, level, text string
	}{
		{"good", good, twoKeys, cli.LevelOK, "2 keys at"},
		{"clock", good, twoKeys, cli.LevelOK, "clock: within"},
		{"other name", `{"issuer":"%[1]s/","jwks_uri":"%[1]s/keys"}`, twoKeys, cli.LevelFail, "calls itself"},
		{"not https", `{"issuer":"%[1]s","jwks_uri":"http://127.0.0.1/keys"}`, twoKeys, cli.LevelFail, "jwks_uri is"},
		{"no keys there", `{"issuer":"%[1]s","jwks_uri":"%[1]s/none"}`, twoKeys, cli.LevelFail, "404"},
		{"not JSON", "<html>%[1]s", twoKeys, cli.LevelFail, "no JSON document"},
		{"keys not JSON", good, "<html>", cli.LevelFail, "JSON Web Key Set"},
		{"no usable key", good, `{"keys":[{"kty":"oct"}]}`, cli.LevelFail, "no key at"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, _ := issuerOf(t, provider(test.document, test.keys))
			expect(t, d.issuers(t.Context()), test.level, test.text)
		})
	}
}

func TestDoctorOfAnIssuerThatIsNotThere(t *testing.T) {
	d, s := issuerOf(t, provider("", ""))
	s.Close()
	expect(t, d.issuers(t.Context()), cli.LevelFail, "refused")
	d.config.OIDC[0].CAFile = "/nowhere"
	expect(t, d.issuers(t.Context()), cli.LevelFail, "CA_FILE")
	if found := patient(t).issuers(t.Context()); len(found) > 0 {
		t.Errorf("no issuer: %+v", found)
	}
}

func TestDoctorSendsTheDiscoveryTokenToTheIssuerAlone(t *testing.T) {
	leaked := make(chan string, 1)
	other := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { leaked <- r.Header.Get("Authorization") }))
	defer other.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("api-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, _ := issuerOf(t, func(url string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer api-token" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			if r.URL.Path == "/keys" { // where the other's keys are asked for first
				w.WriteHeader(http.StatusNotFound)
				return
			}
			_, _ = fmt.Fprintf(w, `{"issuer":"%s","jwks_uri":"%s/keys"}`, url, other.URL)
		})
	}, config.Prefix+"OIDC_DISCOVERY_TOKEN_FILE="+token)
	asks, err := issuerClient(&d.config.OIDC[0])
	if err != nil {
		t.Fatal(err)
	}
	asks.Transport.(hostToken).RoundTripper.(*http.Transport).TLSClientConfig.InsecureSkipVerify = true
	if response, _, err := client.Fetch(t.Context(), asks, client.Request{URL: other.URL, Limit: 10}); err != nil || response.StatusCode != 200 {
		t.Fatal(err)
	}
	if got := <-leaked; got != "" {
		t.Errorf("another host got %q", got)
	}
	expect(t, d.issuers(t.Context()), cli.LevelFail, "keys at "+other.URL)
	d.config.OIDC[0].DiscoveryToken = ""
	expect(t, d.issuers(t.Context()), cli.LevelFail, "DISCOVERY_TOKEN_FILE")
}

func TestDoctorOfTheClock(t *testing.T) {
	d, _ := issuerOf(t, provider("%[1]s", ""))
	for off, level := range map[time.Duration]string{
		0: cli.LevelOK, 40 * time.Second: cli.LevelWarn, -50 * time.Second: cli.LevelWarn, 2 * time.Minute: cli.LevelFail, -2 * time.Minute: cli.LevelFail,
	} {
		d.now = func() time.Time { return time.Now().Add(off) }
		response := &http.Response{Header: http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}}}
		expect(t, d.skew(&d.config.OIDC[0], response), level, "clock")
	}
	if found := d.skew(&d.config.OIDC[0], &http.Response{}); found != nil {
		t.Errorf("%+v", found)
	}
}

func TestDoctorOfAKeyFile(t *testing.T) {
	d, _ := issuerOf(t, provider("%[1]s", ""))
	d.config.OIDC[0].JWKSFile = filepath.Join(t.TempDir(), "jwks.json")
	expect(t, d.issuers(t.Context()), cli.LevelFail, "JWKS_FILE")
	if err := os.WriteFile(d.config.OIDC[0].JWKSFile, []byte(twoKeys), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, d.issuers(t.Context()), cli.LevelOK, "2 keys at")
}

func TestDoctorOfTheAPIServer(t *testing.T) {
	for _, status := range []int{http.StatusCreated, http.StatusForbidden} {
		_, s := issuerOf(t, func(string) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				kind, group := "TokenReview", "authentication"
				if strings.Contains(r.URL.Path, "subjectaccessreviews") {
					kind, group = "SubjectAccessReview", "authorization"
				}
				w.WriteHeader(status)
				_, _ = fmt.Fprintf(w, `{"apiVersion":"%s.k8s.io/v1","kind":"%s","status":{"authenticated":false,"allowed":false}}`, group, kind)
			})
		})
		dir := t.TempDir()
		ca, token := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "token")
		for path, content := range map[string][]byte{ca: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), token: []byte("api")} {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		d := patient(t, config.Prefix+"KUBERNETES_AUTH=tokenreview", config.Prefix+"KUBERNETES_AUTHZ=subjectaccessreview", config.Prefix+"KUBERNETES_API_URL="+s.URL,
			config.Prefix+"KUBERNETES_CA_FILE="+ca, config.Prefix+"KUBERNETES_TOKEN_FILE="+token, config.Prefix+"METRICS_ALLOW=dns:a.example,user:b")
		found := d.apiServer()
		level := cli.LevelOK
		if status == http.StatusForbidden {
			level = cli.LevelFail
			expect(t, found, level, "system:auth-delegator")
		}
		expect(t, found, level, "TokenReview")
		expect(t, found, level, "SubjectAccessReview")
	}
	if found := patient(t).apiServer(); found != nil {
		t.Errorf("%+v", found)
	}
}
