package doctor

import (
	"crypto/x509"
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
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/status"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// visitor is a doctor of the fixture's gate, with some credentials.
func visitor(t *testing.T, f *gatetest.Gate, c client.Credentials) *doctor {
	t.Helper()
	d := patient(t)
	d.config.TLS, d.config.Allow.TokensFile = f.Config.TLS, f.Config.Allow.TokensFile
	if err := d.config.Listen.Address.UnmarshalText([]byte(f.Server.Addr().String())); err != nil {
		t.Fatal(err)
	}
	d.config.Process.AdminAddress = adminAddress(t, f.Server.AdminAddr().String())
	d.client = c
	return d
}

// scrape asks the gate and judges the answer.
func (d *doctor) scrape(t *testing.T) []cli.Finding { return d.scraped(d.visit(t.Context())) }

func TestDoctorScrapesTheGate(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\nup2 1\n"))
	file := func(name string) string { return filepath.Join(f.Dir, name) }
	other, err := testca.NewCA(testca.Options{CommonName: "other"})
	if err != nil {
		t.Fatal(err)
	}
	otherPair, err := other.Issue(testca.Options{DNSNames: []string{"prometheus.demo"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := otherPair.WriteFiles(file("other.pem"), file("other-key.pem")); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"wrong": "mg_wrong", "two": "a b",
		"other-ca.pem": string(other.CertPEM())} {
		if err := os.WriteFile(file(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name        string
		client      client.Credentials
		level, text string
	}{
		{"certificate", client.Credentials{CA: file("ca.pem"), Cert: file("client.pem"), Key: file("client-key.pem"),
			TokenFile: ""}, cli.LevelOK, "200 with these credentials"},
		{"token", client.Credentials{CA: file("ca.pem"), Cert: "", Key: "", TokenFile: file("token")}, cli.LevelOK,
			"2 samples"},
		{"pinned", client.Credentials{CA: "", Cert: "", Key: "", TokenFile: file("token")}, cli.LevelOK,
			"200 with these credentials"},
		{"nothing", client.Credentials{CA: file("ca.pem"), Cert: "", Key: "", TokenFile: ""}, cli.LevelOK,
			"401 Unauthorized without credentials"},
		{"wrong token", client.Credentials{CA: file("ca.pem"), Cert: "", Key: "", TokenFile: file("wrong")},
			cli.LevelFail, "401"},
		{"two words", client.Credentials{CA: file("ca.pem"), Cert: "", Key: "", TokenFile: file("two")}, cli.LevelFail,
			"not one token"},
		{"no such file", client.Credentials{CA: file("ca.pem"), Cert: "", Key: "", TokenFile: file("none")},
			cli.LevelFail, "none"},
		{"other authority", client.Credentials{CA: file("other-ca.pem"), Cert: "", Key: "",
			TokenFile: file("token")}, cli.LevelFail, "another CA than --ca"},
		{"no authority in the file", client.Credentials{CA: file("token"), Cert: "", Key: "",
			TokenFile: file("token")}, cli.LevelFail, "no PEM block in it"},
		{"certificate of another CA", client.Credentials{CA: file("ca.pem"), Cert: file("other.pem"),
			Key: file("other-key.pem"), TokenFile: ""}, cli.LevelFail, "gate"},
		{"not a certificate", client.Credentials{CA: file("ca.pem"), Cert: file("token"), Key: file("token"),
			TokenFile: ""}, cli.LevelFail, "--cert"},
	} {
		t.Run(test.name, func(t *testing.T) {
			expect(t, visitor(t, f, test.client).scrape(t), test.level, test.text)
		})
	}
}

func TestDoctorScrapesByURL(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\nup2 1\n"))
	file := func(name string) string { return filepath.Join(f.Dir, name) }
	d := visitor(t, f, client.Credentials{CA: file("ca.pem"), TokenFile: file("token")})
	d.url = "https://" + f.Server.Addr().String()
	expect(t, d.scrape(t), cli.LevelOK, d.url+"/metrics: 200")
	d.url = "https://127.0.0.1:9"
	expect(t, d.scrape(t), cli.LevelFail, "not running")
	d.client = client.Credentials{}
	expect(t, d.scrape(t), cli.LevelWarn, "not running")
	f.Runner.Close()
	expect(t, visitor(t, f, client.Credentials{CA: file("ca.pem"), TokenFile: file("token")}).scrape(t),
		cli.LevelFail, "502")
}

func TestDoctorIsDenied(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"METRICS_ALLOW=dns:prometheus.demo")
	c := client.Credentials{CA: filepath.Join(f.Dir, "ca.pem"), TokenFile: filepath.Join(f.Dir, "token")}
	expect(t, visitor(t, f, c).scrape(t), cli.LevelFail, "add token:prometheus to "+config.Prefix+"METRICS_ALLOW")
	f = gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"METRICS_ALLOW=token:prometheus")
	certificate := client.Credentials{CA: filepath.Join(f.Dir, "ca.pem"), Cert: filepath.Join(f.Dir, "client.pem"),
		Key: filepath.Join(f.Dir, "client-key.pem")}
	expect(t, visitor(t, f, certificate).scrape(t), cli.LevelFail,
		"add dns:prometheus.demo to "+config.Prefix+"METRICS_ALLOW")
	expect(t, outsider(t, f, certificate), cli.LevelFail, "add dns:prometheus.demo to "+config.Prefix+"METRICS_ALLOW")
}

// A revoked certificate is named as that where the settings are; else the possible causes are.
func TestDoctorIsRevoked(t *testing.T) {
	dir := t.TempDir()
	ca := testca.Must(testca.NewCA(testca.Options{CommonName: "clients"}))
	pair := testca.Must(ca.Issue(testca.Options{DNSNames: []string{"prometheus.demo"}}))
	file := func(name string) string { return filepath.Join(dir, name) }
	if err := pair.WriteFiles(file("revoked.pem"), file("revoked-key.pem")); err != nil {
		t.Fatal(err)
	}
	list := testca.Must(ca.CRL(testca.CRLOptions{Revoked: []*x509.Certificate{pair.Leaf()}}))
	for name, content := range map[string][]byte{"clients.pem": ca.CertPEM(), "crl.pem": testca.CRLPEM(list)} {
		if err := os.WriteFile(file(name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trust := []string{config.Prefix + "TLS_CLIENT_CA_FILE=" + file("clients.pem"),
		config.Prefix + "TLS_CLIENT_CRL_FILE=" + file("crl.pem")}
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), trust...)
	c := client.Credentials{CA: filepath.Join(f.Dir, "ca.pem"), Cert: file("revoked.pem"), Key: file("revoked-key.pem")}
	d := patient(t, trust...)
	d.client, d.url = c, "https://"+f.Server.Addr().String()
	expect(t, d.scrape(t), cli.LevelFail, "certificate is revoked: serial")
	expect(t, outsider(t, f, c), cli.LevelFail, "it is revoked, not for clients")
}

func TestDoctorPinsTheCertificate(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"))
	d := visitor(t, f, client.Credentials{TokenFile: filepath.Join(f.Dir, "token")})
	d.config.TLS = patient(t).config.TLS // another certificate than the one that is served
	expect(t, d.scrape(t), cli.LevelFail, "another certificate than "+config.Prefix+"TLS_CERT_FILE holds")
}

// A gate with another name and another certificate is another gate: no --server-name makes it this one.
func TestDoctorMeetsAnotherGateOfTheFleet(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"))
	file := func(name string) string { return filepath.Join(f.Dir, name) }
	ca := testca.Must(testca.NewCA(testca.Options{CommonName: "other"}))
	own := testca.Must(ca.Issue(testca.Options{DNSNames: []string{"build-04.example"}}))
	if err := own.WriteFiles(file("04.pem"), file("04-key.pem")); err != nil {
		t.Fatal(err)
	}
	d := visitor(t, f, client.Credentials{CA: file("ca.pem"), TokenFile: file("token")})
	d.config.TLS.CertFile = file("04.pem")
	expect(t, d.scrape(t), cli.LevelFail, "it is this gate, and not another one")
}

// A runner's address where TLS is spoken is a gate's.
func TestDoctorOfARunnerThatSpeaksTLS(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"))
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	for _, address := range []string{f.Server.Addr().String(), server.Listener.Addr().String()} {
		d := patient(t, config.Prefix+"UPSTREAM_URL="+address)
		expect(t, d.runner(t.Context()), cli.LevelFail, "TLS is spoken there: it is a gate")
	}
}

func TestDoctorMeetsAnotherServer(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"))
	d := visitor(t, f, client.Credentials{})
	d.url = f.Runner.URL
	expect(t, d.scrape(t), cli.LevelFail, "no metrics-gate")
}

// Only a refused handshake shows that a gate with certificates alone is there.
func TestDoctorMeetsAnotherServerInPlaceOfAGate(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"))
	d := visitor(t, f, client.Credentials{})
	d.config.Allow.TokensFile = ""
	expect(t, d.scrape(t), cli.LevelOK, "without")
	if err := d.config.Listen.Address.UnmarshalText([]byte(f.Runner.Listener.Addr().String())); err != nil {
		t.Fatal(err)
	}
	expect(t, d.scrape(t), cli.LevelFail, "")
}

func TestDoctorOfTheRunningGate(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"RATE_BURST=2", config.Prefix+"RATE_LIMIT=1")
	d := visitor(t, f, client.Credentials{})
	expect(t, d.running(t.Context()), cli.LevelOK, "ready")
	expect(t, d.running(t.Context()), cli.LevelOK, "none is near")
	for range 3 {
		f.Ask(t, f.Client(t, true), "GET", "/metrics")
	}
	expect(t, d.running(t.Context()), cli.LevelWarn, "came too fast")
	stopping := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the public listener is not up\nask again", http.StatusServiceUnavailable)
	}))
	defer stopping.Close()
	d.config.Process.AdminAddress = adminAddress(t, stopping.Listener.Addr().String())
	expect(t, d.running(t.Context()), cli.LevelFail, "not ready: the public listener is not up: ask again")

	d.config.Process.AdminAddress = adminAddress(t, "127.0.0.1:9")
	expect(t, d.running(t.Context()), cli.LevelWarn, "no answer")
	d.config.Process.AdminAddress = adminAddress(t, "off")
	if found := d.running(t.Context()); found != nil {
		t.Errorf("%+v", found)
	}
}

// What the running gate says of itself is a finding, and so is that it runs with other settings.
func TestDoctorReadsTheRunningGatesPage(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"RUNNER_NAME=build-06")
	f.Runner.Close()
	token := client.Credentials{CA: filepath.Join(f.Dir, "ca.pem"), TokenFile: filepath.Join(f.Dir, "token")}
	visitor(t, f, token).scrape(t)
	d := visitor(t, f, token)
	d.config.Label, d.config.Upstream = f.Config.Label, f.Config.Upstream
	found := d.running(t.Context())
	expect(t, found, cli.LevelFail, "running gate: runner down: ")
	for _, f := range found {
		if strings.Contains(f.Do, "restart the gate") {
			t.Errorf("%+v", f)
		}
	}
	d.config.Label.RunnerName = "renamed"
	d.config.Upstream = patient(t).config.Upstream
	found = d.running(t.Context())
	expect(t, found, cli.LevelWarn, `gives every sample runner_name="build-06", and these settings "renamed"`)
	expect(t, found, cli.LevelWarn, "and that of these settings at http://127.0.0.1:9")
}

func TestObservedInterval(t *testing.T) {
	now := time.Now()
	r := &status.Report{Scrapes: []status.Scrape{{At: now}, {At: now.Add(-15 * time.Second)},
		{At: now.Add(-30 * time.Second)}}}
	if got := seen(r); !strings.Contains(got, "a scrape every 15 s") {
		t.Error(got)
	}
}

// The query of --url may hold a token.
func TestDoctorHidesTheQuery(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"))
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	for _, address := range []string{"127.0.0.1:9", f.Server.Addr().String(), other.Listener.Addr().String()} {
		for _, scheme := range []string{"https", "http"} {
			d := visitor(t, f, client.Credentials{})
			d.url = scheme + "://" + address + "/metrics?token=pa55"
			if found := d.scrape(t); strings.Contains(fmt.Sprint(found), "pa55") {
				t.Errorf("%+v", found)
			}
		}
	}
}
