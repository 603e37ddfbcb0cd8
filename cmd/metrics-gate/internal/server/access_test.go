package server_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

const firstUse = `msg="first request of an identity from this address"`

// The access log has a line for each request, refused ones too.
func TestAccessLog(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"ACCESS_LOG=on")
	f.Ask(t, f.Client(t, false), "GET", "/metrics")
	f.Ask(t, f.Client(t, false), "GET", "/metrics", "Authorization", "Basic eDp5")
	f.Ask(t, f.Client(t, false), "GET", "/metrics", "Authorization", "Bearer mg_unknown")
	c := f.Client(t, true)
	for range 3 { // the third is one that repeats
		f.Ask(t, c, "GET", "/metrics")
	}
	f.Ask(t, c, "POST", "/metrics")
	testwait.Eventually(t, "line for each request", func() bool {
		return strings.Count(f.Log.String(), "level=INFO msg=request ") == 7
	})
	const scrape = `method=certificate subject=dns:prometheus.demo issuer="CN=metrics-gate demo" request_method=GET ` +
		`route=metrics status=200 aborted=false bytes=`
	log := f.Log.String()
	for want, n := range map[string]int{
		scrape: 3, "encoding=gzip": 3, "format=\"text/plain; version=0.0.4": 3,
		`method=none subject="" issuer="" request_method=GET route=metrics status=401`:  2,
		`method=token subject="" issuer="" request_method=GET route=metrics status=401`: 1,
		`advice="send Authorization: Bearer TOKEN`:                                      1,
		"request_method=POST route=metrics status=405":                                  1,
		firstUse: 0,
	} {
		if got := strings.Count(log, want); got != n {
			t.Errorf("%d times %q, want %d, in\n%s", got, want, n, log)
		}
	}
}

// Without the access log the first request that an identity is allowed is logged.
func TestFirstUseIsLogged(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"))
	bearer := []string{"Authorization", "Bearer " + f.Token(t)}
	for range 3 {
		f.Ask(t, f.Client(t, true), "GET", "/metrics")
		f.Ask(t, f.Client(t, false), "GET", "/metrics", bearer...)
		f.Ask(t, f.Client(t, false), "GET", "/metrics")
	}
	log := f.Log.String()
	if got := strings.Count(log, firstUse); got != 2 || strings.Contains(log, "msg=request ") {
		t.Errorf("%d first requests of two identities in\n%s", got, log)
	}
}

// Of two tokens of one name the log and the status page say which is in use, so that one knows when
// the old line may go.
func TestTokensOfOneNameAreToldApart(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"))
	secret, line, err := auth.NewToken("prometheus")
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := os.ReadFile(filepath.Join(f.Dir, "tokens"))
	if err != nil {
		t.Fatal(err)
	}
	replace(t, f, "tokens", string(tokens)+line+"\n")
	f.Signals <- syscall.SIGHUP
	f.WaitFor(t, 0, "msg=reloaded what=tokens")
	for _, token := range []string{f.Token(t), secret} {
		f.Ask(t, f.Client(t, false), "GET", "/metrics", "Authorization", "Bearer "+token)
	}
	_, digest, _ := strings.Cut(line, "sha256:")
	log := f.Log.String()
	if strings.Count(log, firstUse) != 2 || strings.Count(log, " digest="+digest[:8]+" ") != 1 {
		t.Error(log)
	}
	if r, text := report(t, f, 2); len(r.Scrapers) != 1 || r.Scrapers[0].Latest.Digest != digest[:8] {
		t.Error(text)
	}
	if html := page(t, f, "text/html"); !strings.Contains(html, "sha256:"+digest[:8]+"…") {
		t.Error(html)
	}
}

// Who sends basic_auth reads what this gate takes in its place.
func TestBasicAuthIsAdvised(t *testing.T) {
	const certificate, token = "tls_config: {ca_file: ca.crt, cert_file: tls.crt, key_file: tls.key}",
		"authorization: {credentials_file: token}"
	for _, test := range []struct {
		set  []string
		want string
	}{
		{nil, "send Authorization: Bearer TOKEN; in a job of Prometheus write, in place of basic_auth, " + certificate +
			" or " + token + `"`},
		{[]string{config.Prefix + "TLS_CLIENT_CA_FILE"}, "in place of basic_auth, " + token + `"`},
		{[]string{config.Prefix + "TOKENS_FILE"}, "send a client certificate, and no Authorization header; in a job " +
			"of Prometheus write, in place of basic_auth, " + certificate + `"`},
	} {
		f := gatetest.Start(t, gatetest.Exposes("up 1\n"), test.set...)
		f.Ask(t, f.Client(t, len(test.set) > 0), "GET", "/metrics", "Authorization", "Basic eDp5")
		f.WaitFor(t, 0, test.want)
	}
}
