package windows_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// eventTime bounds the wait for an event: a changed file is noticed within 10 seconds, and
// the machine may be busy.
const eventTime = 15 * time.Second

// sc asks Wine's service manager about the service.
func (w *wine) sc(t *testing.T, command string) string {
	t.Helper()
	return w.run(t, "sc", command, "metrics-gate").stdout
}

// await waits for what "sc query" prints in the service's state.
func (w *wine) await(t *testing.T, state string) string {
	t.Helper()
	var said string
	harness.Eventually(t, "the service is "+state, func() bool {
		said = w.sc(t, "query")
		return strings.Contains(said, state)
	})
	return said
}

// logged waits until an event with text is reported after the first since bytes.
func (w *wine) logged(t *testing.T, since int, text string) {
	t.Helper()
	err := harness.Poll(eventTime, func() error {
		if log := w.eventLog(t)[since:]; !strings.Contains(log, text) {
			return fmt.Errorf("no event with %s in\n%s", text, log)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// eventLog is what was reported to the Event Log; Wine writes the quotes with a backslash.
func (w *wine) eventLog(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(w.events)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(content), `\"`, `"`)
}

// install installs the service and removes it after the test. Wine 8 has no recovery actions;
// the installation goes on and says so.
func (w *wine) install(t *testing.T, environ []string, args ...string) {
	t.Helper()
	said := w.runWith(t, environ, w.exe, append([]string{"service", "install"}, args...)...)
	if said.code != 0 || !strings.Contains(said.stdout, `installed as NT SERVICE\metrics-gate`) ||
		strings.Contains(strings.ReplaceAll(said.stderr, "metrics-gate: service metrics-gate: recovery actions: ", ""),
			"metrics-gate: ") {
		t.Fatalf("%+v", said)
	}
	t.Cleanup(func() {
		if said := w.run(t, w.exe, "service", "remove"); said.code != 0 || !strings.HasPrefix(said.stdout, "removed") {
			t.Errorf("remove: %+v", said)
		}
		if said := w.run(t, w.exe, "service", "remove"); said.code != 2 ||
			!strings.Contains(said.stderr, "is not installed") {
			t.Errorf("remove again: %+v", said)
		}
	})
}

// testService: install, start, scrape, reload, stop, remove.
func (w *wine) testService(t *testing.T) {
	s := newSite(t, w)
	file := s.envFile(t)
	w.install(t, nil, "--env-file", file)
	w.sc(t, "start")
	w.await(t, "RUNNING")
	if err := harness.WaitHTTP("http://"+s.admin+"/readyz", 30*time.Second); err != nil {
		t.Fatal(err)
	}
	w.logged(t, 0, `trace:eventlog:ReportEventW L"{"time":`)
	for name, test := range map[string]struct {
		pair  *testca.Pair
		token string
		want  int
	}{
		"a certificate": {s.prometheus, "", http.StatusOK},
		"a token":       {nil, s.token, http.StatusOK},
		"no credential": {nil, "", http.StatusUnauthorized},
	} {
		if got := s.status(t, test.pair, test.token); got != test.want {
			t.Errorf("%s: status %d, want %d", name, got, test.want)
		}
	}
	said := w.run(t, w.exe, "doctor", "--env-file", file)
	if said.code != 0 || strings.Contains(said.stdout, "\nfail") ||
		!strings.Contains(said.stdout, "\nok    permissions: ") {
		t.Errorf("doctor: exit %d\n%s%s", said.code, said.stdout, said.stderr)
	}
	t.Run("reload", func(t *testing.T) { w.testReload(t, s) })
	s.runner.Close()
	if got := s.status(t, nil, s.token); got != http.StatusBadGateway {
		t.Errorf("without a runner: status %d", got)
	}
	w.logged(t, 0, `"reason":"refused"`)
	w.sc(t, "stop")
	state := w.await(t, "STOPPED")
	for _, want := range []string{"WIN32_EXIT_CODE    : 0 ", "SERVICE_EXIT_CODE  : 0 "} {
		if !strings.Contains(state, want) {
			t.Errorf("%q is not in %s", want, state)
		}
	}
	w.logged(t, 0, `"msg":"stopped"`)
	if log := w.eventLog(t); strings.Contains(log, "err:eventlog") {
		t.Errorf("errors were logged:\n%s", log)
	}
}

// testReload: changed files are noticed in time, and a parameter change asks for a reload.
func (w *wine) testReload(t *testing.T, s *site) {
	old := s.token
	since := len(w.eventLog(t))
	s.newToken(t, w)
	w.logged(t, since, `"msg":"reloaded","what":"tokens"`)
	if got := s.status(t, nil, s.token); got != http.StatusOK {
		t.Errorf("the new token: status %d", got)
	}
	if got := s.status(t, nil, old); got != http.StatusUnauthorized {
		t.Errorf("the old token: status %d", got)
	}
	since = len(w.eventLog(t))
	renewed := s.pki.Issue(t, "server", testca.Options{DNSNames: []string{"localhost"}, IPs: []string{"127.0.0.1"}})
	w.logged(t, since, `"msg":"reloaded","what":"tls"`)
	conn, err := tls.Dial("tcp", s.address, &tls.Config{RootCAs: s.pki.CA.Pool(), ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if !conn.ConnectionState().PeerCertificates[0].Equal(renewed.Leaf()) {
		t.Error("the old certificate is served")
	}
	since = len(w.eventLog(t))
	control := compile(t, "e2e/windows/testdata/paramchange", "build")
	if said := w.run(t, control); said.code != 0 {
		t.Errorf("parameter change: %+v", said)
	}
	w.logged(t, since, `"msg":"reload: nothing has changed","what":"tokens"`)
}

// testRegistry: without a file the settings are stored in the registry, from which the
// service manager of Windows takes them. Wine's does not read them.
func (w *wine) testRegistry(t *testing.T) {
	s := newSite(t, w)
	w.install(t, append(s.environ, "OTHER=1"))
	said := w.run(t, "reg", "query", `HKLM\SYSTEM\CurrentControlSet\Services\metrics-gate`, "/v", "Environment")
	_, list, _ := strings.Cut(strings.TrimSpace(said.stdout), "REG_MULTI_SZ    ")
	stored := strings.Split(strings.ReplaceAll(list, `\0METRICS_GATE_`, "\nMETRICS_GATE_"), "\n")
	slices.Sort(stored)
	slices.Sort(s.environ)
	if !slices.Equal(stored, s.environ) {
		t.Errorf("stored %q, want %q", stored, s.environ)
	}
}

// testBadSettings: an installation refuses them. A service that finds them at its start
// ends with the command's exit code and an event that names the variable.
func (w *wine) testBadSettings(t *testing.T) {
	s := newSite(t, w)
	const bad = "METRICS_GATE_LINGER=soon"
	if said := w.run(t, w.exe, "service", "install", "--env-file", s.envFile(t, bad)); said.code != 2 ||
		!strings.Contains(said.stderr, "METRICS_GATE_LINGER") {
		t.Errorf("install: %+v", said)
	}
	w.install(t, nil, "--env-file", s.envFile(t))
	s.envFile(t, bad)
	since := len(w.eventLog(t))
	w.sc(t, "start")
	if said := w.await(t, "STOPPED"); !strings.Contains(said, "SERVICE_EXIT_CODE  : 2 ") {
		t.Errorf("ended with\n%s", said)
	}
	w.logged(t, since, `err:eventlog:ReportEventW L"metrics-gate: METRICS_GATE_LINGER`)
}
