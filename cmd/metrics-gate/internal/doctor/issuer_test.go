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

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// oneKey has the key of RFC 7517 appendix A.1; weakKey adds one that is too short.
const (
	ecKey = `{"kty":"EC","crv":"P-256","use":"sig","kid":"1",` +
		`"x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}`
	oneKey  = `{"keys":[` + ecKey + `,{"kty":"oct","use":"enc","k":"AA"}]}`
	weakKey = `{"keys":[` + ecKey + `,{"kty":"RSA","kid":"weak",` +
		`"n":"sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri","e":"AQAB"}]}`
)

// issuerOf starts an issuer and a doctor who trusts it.
func issuerOf(t *testing.T, h func(url string) http.Handler, environ ...string) (*doctor, *httptest.Server) {
	t.Helper()
	var s *httptest.Server
	s = httptest.NewTLSServer(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { h(s.URL).ServeHTTP(w, r) }))
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "issuer.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return patient(t, append([]string{
		config.Prefix + "OIDC_ISSUER_URL=" + s.URL, config.Prefix + "OIDC_AUDIENCE=gate",
		config.Prefix + "OIDC_CA_FILE=" + ca,
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
		{"good", good, oneKey, cli.LevelOK, "1 keys at"},
		{"clock", good, oneKey, cli.LevelOK, "clock: within"},
		{"weak key", good, weakKey, cli.LevelWarn, `key "weak" is not used`},
		{"other name", `{"issuer":"%[1]s/","jwks_uri":"%[1]s/keys"}`, oneKey, cli.LevelFail,
			"OIDC_ISSUER_URL=https://"},
		{"not https", `{"issuer":"%[1]s","jwks_uri":"http://127.0.0.1/keys"}`, oneKey, cli.LevelFail,
			"not an https URL"},
		{"no keys there", `{"issuer":"%[1]s","jwks_uri":"%[1]s/none"}`, oneKey, cli.LevelFail, "404"},
		{"not JSON", "<html>%[1]s", oneKey, cli.LevelFail, "iss of its tokens"},
		{"keys not JSON", good, "<html>", cli.LevelFail, "JWK Set"},
		{"no usable key", good, `{"keys":[{"kty":"oct"}]}`, cli.LevelFail, "public signing key"},
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
	expect(t, d.issuers(t.Context()), cli.LevelFail, "OIDC_CA_FILE")
	if found := patient(t).issuers(t.Context()); len(found) > 0 {
		t.Errorf("no issuer: %+v", found)
	}
}

func TestDoctorAsksForTheDiscoveryToken(t *testing.T) {
	d, _ := issuerOf(t, func(string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	})
	expect(t, d.issuers(t.Context()), cli.LevelFail, "OIDC_DISCOVERY_TOKEN_FILE")
}

func TestDoctorOfTheClock(t *testing.T) {
	c := &config.Issuer{URL: "https://id.example", Prefix: config.Prefix + "OIDC_", ClockSkew: time.Minute}
	for off, level := range map[time.Duration]string{
		0: cli.LevelOK, 40 * time.Second: cli.LevelWarn, -50 * time.Second: cli.LevelWarn,
		2 * time.Minute: cli.LevelFail, -2 * time.Minute: cli.LevelFail,
	} {
		expect(t, skew(c, auth.IssuerReport{Clock: off, ClockKnown: true}), level, "clock")
	}
	if found := skew(c, auth.IssuerReport{}); found != nil {
		t.Errorf("%+v", found)
	}
}

func TestDoctorOfAKeyFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(file, []byte(oneKey), 0o600); err != nil {
		t.Fatal(err)
	}
	d, _ := issuerOf(t, provider("%[1]s", ""), config.Prefix+"OIDC_JWKS_FILE="+file)
	expect(t, d.issuers(t.Context()), cli.LevelOK, "1 keys at "+file)
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
				_, _ = fmt.Fprintf(w, `{"apiVersion":"%s.k8s.io/v1","kind":"%s",`+
					`"status":{"authenticated":false,"allowed":false}}`, group, kind)
			})
		})
		dir := t.TempDir()
		ca, token := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "token")
		for path, content := range map[string][]byte{ca: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
			Bytes: s.Certificate().Raw}), token: []byte("api")} {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		d := patient(t, config.Prefix+"KUBERNETES_AUTH=tokenreview",
			config.Prefix+"KUBERNETES_AUTHZ=subjectaccessreview", config.Prefix+"KUBERNETES_API_URL="+s.URL,
			config.Prefix+"KUBERNETES_CA_FILE="+ca, config.Prefix+"KUBERNETES_TOKEN_FILE="+token,
			config.Prefix+"METRICS_ALLOW=dns:a.example,user:b")
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
