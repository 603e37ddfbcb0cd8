package check

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// An address that is no port or host ends the check; one that this host lacks is a warning.
func TestCheckJudgesAddresses(t *testing.T) {
	for _, test := range []struct {
		address string
		err     error
		refused bool
		want    string // part of the finding; empty if there is none
	}{
		{":9253", nil, false, ""},
		{"foo", &net.DNSError{Err: "no such host", Name: "foo", IsNotFound: true}, true,
			`"foo" is no port, and no host`},
		{"foo", &net.DNSError{Err: "server misbehaving", Name: "foo", IsTemporary: true}, false, "cannot listen there"},
		{"192.0.2.77", errors.New("bind: cannot assign requested address"), false, "cannot assign requested address"},
	} {
		l := listener{variable: config.Prefix + "LISTEN_ADDRESS"}
		if err := l.address.UnmarshalText([]byte(test.address)); err != nil {
			t.Fatal(err)
		}
		warnings, err := l.judge(test.err)
		got := fmt.Sprint(warnings, err)
		if (err != nil) != test.refused || (test.want == "") != (len(warnings) == 0 && err == nil) ||
			!strings.Contains(got, test.want) {
			t.Errorf("%s, %v: %s", test.address, test.err, got)
		}
	}
}

func TestCheckTriesAddresses(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Close() }()
	for _, test := range []struct {
		set  string
		code int
		want string
	}{
		{"LISTEN_ADDRESS=:99999", 1, `LISTEN_ADDRESS ":99999": port "99999"`},
		{"LISTEN_ADDRESS=:foo", 1, `LISTEN_ADDRESS ":foo": port "foo"`},
		{"LISTEN_ADDRESS=127.0.0.1", 0, "configuration: ok"},
		{"LISTEN_ADDRESS=localhost", 0, "configuration: ok"},
		{"LISTEN_ADDRESS=" + busy.Addr().String(), 0, "configuration: ok"}, // by the gate that runs, perhaps
		{"LISTEN_ADDRESS=192.0.2.77:9253", 0, `warn  METRICS_GATE_LISTEN_ADDRESS "192.0.2.77:9253": this host cannot`},
		{"ADMIN_ADDRESS=192.0.2.77:9254", 0, `warn  METRICS_GATE_ADMIN_ADDRESS "192.0.2.77:9254": this host cannot`},
		{"ADMIN_ADDRESS=off", 0, "configuration: ok"},
		{"ADMIN_ADDRESS=:9253", 1, "ADMIN_ADDRESS \":9253\": the same address as METRICS_GATE_LISTEN_ADDRESS"},
		{"ADMIN_ADDRESS=[::]:9253", 1, "the same address as METRICS_GATE_LISTEN_ADDRESS"},
		{"ADMIN_ADDRESS=0.0.0.0:9253", 1, "the same address as METRICS_GATE_LISTEN_ADDRESS"},
		{"UPSTREAM_URL=localhost:9253", 1, "UPSTREAM_URL \"localhost:9253\": the gate itself listens there"},
		{"UPSTREAM_URL=localhost:9254", 1, "the gate itself listens there"},
	} {
		code, stdout, stderr := checked(t, []string{config.Prefix + test.set})
		if code != test.code || !strings.Contains(stdout+stderr, test.want) {
			t.Errorf("%s: %d\n%s%swant %s", test.set, code, stdout, stderr, test.want)
		}
	}
}

// An issuer that calls itself otherwise is an error, one that does not answer a warning.
func TestCheckAsksIssuers(t *testing.T) {
	var issuer *httptest.Server
	issuer = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/realm/.well-known/openid-configuration" {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": issuer.URL + "/realm",
			"jwks_uri": issuer.URL + "/keys"})
	}))
	t.Cleanup(issuer.Close)
	ca := filepath.Join(t.TempDir(), "issuer.pem")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issuer.Certificate().Raw})
	if err := os.WriteFile(ca, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	environ := func(url string) []string {
		return []string{config.Prefix + "OIDC_ISSUER_URL=" + url, config.Prefix + "OIDC_AUDIENCE=gate",
			config.Prefix + "OIDC_CA_FILE=" + ca}
	}
	named := config.Prefix + "OIDC_ISSUER_URL"
	for name, test := range map[string]struct {
		environ []string
		code    int
		want    string
	}{
		"trailing slash": {environ(issuer.URL + "/realm/"), 1,
			fmt.Sprintf("%s %q: the issuer calls itself %q, and its "+
				"tokens do\n  set %s=%s: both must be equal", named, issuer.URL+"/realm/", issuer.URL+"/realm", named,
				issuer.URL+"/realm")},
		"no keys":   {environ(issuer.URL + "/realm"), 0, "warn  " + named + " " + issuer.URL + "/realm: no keys: "},
		"no answer": {environ("https://127.0.0.1:1"), 0, "warn  " + named + " https://127.0.0.1:1: no keys: "},
	} {
		if code, stdout, stderr := checked(t, test.environ); code != test.code ||
			!strings.Contains(stdout+stderr, test.want) {
			t.Errorf("%s: %d\n%s%swant %s", name, code, stdout, stderr, test.want)
		}
	}
}

// The decision stands before everything but whose the settings are, and decides the status.
func TestCheckPrintsTheDecisionFirst(t *testing.T) {
	for as, want := range map[string]struct {
		code int
		line string
	}{
		"dns:prometheus.demo": {0, "GET /metrics as dns:prometheus.demo: 200 OK"},
		"dns:nobody.example":  {1, "GET /metrics as dns:nobody.example: 403 Forbidden"},
		"token:nobody":        {1, "GET /metrics as token:nobody: 401 Unauthorized"},
	} {
		code, stdout, stderr := checked(t, nil, "--as", as)
		lines := strings.Split(stdout, "\n")
		if code != want.code || len(lines) < 40 || lines[1] != want.line ||
			!strings.Contains(stdout, "\nconfiguration: ok\ndecision: GET ") {
			t.Errorf("%s: %d\n%s%s", as, code, stdout, stderr)
		}
	}
}
