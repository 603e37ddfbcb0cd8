package profile

import (
	"bytes"
	"crypto/tls"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
)

func TestProfileAdvice(t *testing.T) {
	busy := &http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {"7"}}}
	if got := profileAdvice(busy); !strings.Contains(got, "in 7 s") {
		t.Error(got)
	}
	gates := http.Header{"X-Content-Type-Options": {"nosniff"}, "Cache-Control": {"no-store"}}
	listed := profileAdvice(&http.Response{StatusCode: 404, Header: gates, TLS: new(tls.ConnectionState)})
	if !strings.Contains(listed, "/debug/pprof/ of the gate") || !strings.Contains(listed, "PPROF_CMDLINE=true") {
		t.Error(listed)
	}
	for status, want := range map[int]string{404: "this is no metrics-gate", 502: `log line "profile failed"`,
		504: "fewer seconds", 400: "https://", 418: ""} {
		if got := profileAdvice(&http.Response{StatusCode: status}); !strings.Contains(got, want) ||
			(want == "") != (got == "") {
			t.Errorf("%d: %s", status, got)
		}
	}
}

func TestAdviceForRequests(t *testing.T) {
	f := profilesOf(t)
	const heap = "/debug/pprof/heap"
	address := f.Server.Addr().String()
	strict := gatetest.Start(t, gatetest.Exposes(""), config.Prefix+"TOKENS_FILE",
		config.Prefix+"METRICS_ALLOW=dns:prometheus.demo")
	file := func(name string) string { return filepath.Join(f.Dir, name) }
	other := t.TempDir()
	if err := demofiles.Write(other); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"unknown CA": {[]string{address + heap}, "\n  give the CA of the gate's certificate with --ca FILE\n"},
		"another CA": {[]string{"--ca", filepath.Join(other, "ca.pem"), address + heap},
			"\n  the gate's certificate is of another CA"},
		"plain HTTP": {[]string{"--ca", file("ca.pem"), f.Runner.Listener.Addr().String() + heap},
			"\n  no TLS is spoken there: see what listens there"},
		"no identity": {[]string{"--ca", file("ca.pem"), address + heap},
			"\n  the gate does not know these"},
		"plain HTTP to TLS": {[]string{"http://" + address + heap}, "\n  write https://"},
		"refused":           {[]string{"127.0.0.1:1" + heap}, "\n  nothing listens there"},
		"other name": {[]string{"--ca", file("ca.pem"), "--server-name", "runner.example", address + heap},
			"\n  only the name differs: give --server-name localhost"},
		"no certificate": {[]string{"--ca", filepath.Join(strict.Dir, "ca.pem"),
			strict.Server.Addr().String() + heap}, "\n  the gate wants a client certificate"},
	} {
		var out, errors bytes.Buffer
		code := gatetest.Run(t.Context(), Command(), gatetest.Process(nil, &out, &errors), test.args...)
		if code != 1 || !strings.Contains(errors.String(), test.want) {
			t.Errorf("%s: %d %s, want %q", name, code, errors.String(), test.want)
		}
	}
}
