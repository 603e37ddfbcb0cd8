package prometheus_test

import (
	"bytes"
	"crypto/x509"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// scrapeLoop scrapes until stop is closed and counts the results.
func scrapeLoop(c *http.Client, url string, stop <-chan struct{}, good, bad *atomic.Int64, t *testing.T) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(5 * time.Millisecond):
		}
		response, err := c.Get(url)
		if err != nil {
			bad.Add(1)
			t.Logf("scrape: %v", err)
			continue
		}
		_, err = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK {
			bad.Add(1)
			t.Logf("scrape: %s %v", response.Status, err)
			continue
		}
		good.Add(1)
	}
}

// Server certificate, CAs and revocation list rotate during scrapes on open and on new
// connections, and no scrape fails. Then the client is revoked: its open connection gets
// no further 200.
func TestRotationDropsNoScrape(t *testing.T) {
	pki := harness.NewPKI(t)
	pair := pki.Issue(t, "prometheus", testca.Options{DNSNames: []string{"prometheus.example"}})
	list := func(number int64, revoked ...*x509.Certificate) []byte {
		return testca.CRLPEM(testca.Must(pki.CA.CRL(testca.CRLOptions{Number: number, Revoked: revoked})))
	}
	pki.Write(t, "crl.pem", list(1))
	runner := harness.StartRunner(t, harness.Replay(t))
	gate := harness.StartGate(t,
		append(pki.Environ(true), "UPSTREAM_URL="+runner.Address, "METRICS_ALLOW=dns:prometheus.example",
			"TLS_CLIENT_CRL_FILE="+pki.File("crl.pem"), "RATE_LIMIT=100000", "RATE_BURST=100000")...)
	url := "https://" + gate.Address + "/metrics"

	kept, fresh := pki.Client(pair), pki.Client(pair)
	fresh.Transport.(*http.Transport).DisableKeepAlives = true
	var good, bad atomic.Int64
	var loops sync.WaitGroup
	stop := make(chan struct{})
	for _, c := range []*http.Client{kept, fresh} {
		loops.Go(func() { scrapeLoop(c, url, stop, &good, &bad, t) })
	}
	other := testca.Must(testca.NewCA(testca.Options{CommonName: "next"}))
	otherList := testca.CRLPEM(testca.Must(other.CRL(testca.CRLOptions{})))
	const rounds = 12
	for i := range int64(rounds) {
		pki.Issue(t, "server", testca.Options{DNSNames: []string{"localhost"}, IPs: []string{"127.0.0.1"}})
		authorities, lists := pki.CA.CertPEM(), list(i+2)
		if i%2 == 0 {
			authorities, lists = append(authorities, other.CertPEM()...), append(lists, otherList...)
		}
		pki.Write(t, "ca.pem", authorities)
		pki.Write(t, "crl.pem", lists)
		before := strings.Count(gate.Log(), `"msg":"reloaded"`)
		gate.Signal(t, syscall.SIGHUP)
		harness.Eventually(t, "reloaded", func() bool { return strings.Count(gate.Log(), `"msg":"reloaded"`) > before })
	}
	close(stop)
	loops.Wait()
	if bad.Load() > 0 || good.Load() < rounds {
		t.Errorf("%d scrapes failed, %d passed", bad.Load(), good.Load())
	}

	pki.Write(t, "crl.pem", list(rounds+10, pair.Leaf()))
	gate.Signal(t, syscall.SIGHUP)
	harness.Eventually(t, "revoked", func() bool {
		response, err := kept.Get(url)
		if err != nil {
			return false
		}
		defer func() { _ = response.Body.Close() }()
		body, _ := io.ReadAll(response.Body)
		return response.StatusCode == http.StatusUnauthorized && !bytes.Contains(body, []byte("revoked"))
	})
	if response, err := fresh.Get(url); err == nil {
		t.Errorf("a revoked certificate shakes hands: %s", response.Status)
	}
	if !strings.Contains(gate.Log(), `"reason":"revoked"`) {
		t.Error("the log does not say why")
	}
}
