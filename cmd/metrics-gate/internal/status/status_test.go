package status

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/configtest"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/expiry"
	"github.com/metrics-gate/metrics-gate/proxy"
)

const hostile = `<script>alert(1)</script>"'&amp;`

// statusOf is a page of made-up data, in which whatever a client names is hostile.
func statusOf(t *testing.T, change func(*status)) *status {
	t.Helper()
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	c := configtest.Load(t)
	c.Limit.Rate = 1
	registry := prometheus.NewRegistry()
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "metrics_gate_authentications_total"},
		[]string{"method", "result"})
	refused.WithLabelValues("token", "unknown").Add(7)
	refused.WithLabelValues("token", "success").Add(70)
	refused.WithLabelValues("certificate", "revoked").Add(0)
	keys := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "metrics_gate_jwks_last_success_timestamp_seconds"},
		[]string{"issuer"})
	keys.WithLabelValues("https://issuer.example").Set(float64(now.Add(-time.Hour).Unix()))
	keys.WithLabelValues("https://down.example").Set(0)
	connections := prometheus.NewGauge(prometheus.GaugeOpts{Name: "metrics_gate_connections"})
	connections.Set(250)
	registry.MustRegister(refused, keys, connections)
	s := &status{
		started: now.Add(-49 * time.Hour), now: func() time.Time { return now },
	}
	s.Options = Options{
		Config: c, Listen: "127.0.0.1:9253", Gatherer: registry, Log: slog.New(slog.DiscardHandler),
		Ready: func(time.Time) error { return nil },
		Recent: func() []proxy.Scrape {
			return []proxy.Scrape{
				{Who: hostile, At: now.Add(-5 * time.Second), Duration: 12 * time.Millisecond, Samples: 335, Code: 200},
				{Who: hostile, At: now.Add(-6 * time.Second), Duration: 9 * time.Second, Code: 0},
			}
		},
		Upstream: func() (bool, time.Time) { return false, now.Add(-3 * time.Minute) },
		Expiry: func(time.Time) []expiry.Entry {
			return []expiry.Entry{{Role: "server", Subject: "CN=" + hostile, NotAfter: now.Add(-time.Hour), Days: -1},
				{Role: "client_ca", Subject: "CN=ca", NotAfter: now.Add(99 * time.Hour), Days: 4},
				{Role: "crl", Subject: "CN=ca", NotAfter: now.Add(2400 * time.Hour), Days: 100}}
		},
	}
	if change != nil {
		change(s)
	}
	return s.prepare()
}

func getPage(h http.Handler, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestStatusPage(t *testing.T) {
	w := getPage(statusOf(t, nil), "text/html")
	page := w.Body.String()
	for _, want := range []string{
		"<title>metrics-gate: runner down</title>", "started <time", "2 days ago",
		`<span class="bad">down</span> since <time datetime="2026-11-22T02:57:00Z">`,
		"3 min ago", `<span class="ok">ready</span>`, "certificate, token", "<code>dns:prometheus.demo</code>",
		"401 token: unknown</td><td class=\"n\">7", "5 s ago", "12 ms", "335", `<span class="bad">cut</span>`,
		"250 of 256", "98 %", "RATE_LIMIT", "100 %", "9 s of 10 s", `<span class="bad">expired</span>`,
		`<span class="warn">4 days</span>`, `<span class="ok">100 days</span>`,
		"https://issuer.example", "fetched 60 min ago", "never fetched", `href="/metrics"`, `href="/livez"`,
		`href="/readyz"`,
		html.EscapeString(hostile),
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
	for _, never := range []string{"<script", "revoked", "http-equiv=\"set-cookie", "src=", "url(", "@import",
		"success"} {
		if strings.Contains(page, never) {
			t.Errorf("%q is in it", never)
		}
	}
	if t.Failed() {
		t.Log(page)
	}
}

// The policy lets nothing load or run, and names the one style by its digest.
func TestStatusPolicy(t *testing.T) {
	w := getPage(statusOf(t, nil), "")
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(w.Body.String())
	if style == nil {
		t.Fatal("no style")
	}
	sum := sha256.Sum256([]byte(style[1]))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	for name, value := range map[string]string{
		"Content-Security-Policy": want, "X-Frame-Options": "DENY",
		"Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
		"Content-Type": "text/html; charset=utf-8",
	} {
		if got := w.Header().Get(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	if strings.Contains(w.Body.String(), "style=") || strings.Count(w.Body.String(), "<style>") != 1 {
		t.Error("a style that the policy forbids")
	}
}

func TestStatusJSON(t *testing.T) {
	w := getPage(statusOf(t, func(s *status) {
		s.Ready = func(time.Time) error { return errors.New("certificate has ended") }
		s.Upstream = func() (bool, time.Time) { return false, time.Time{} }
	}), "application/json")
	var r Report
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%v %v", err, w.Header())
	}
	if r.NotReady != "certificate has ended" || r.Runner.State != "not asked yet" || !r.Runner.Since.IsZero() ||
		len(r.Scrapes) != 2 || r.Scrapes[0].Who != hostile {
		t.Errorf("%+v", r)
	}
}

func TestStatusOfNothing(t *testing.T) {
	page := getPage(statusOf(t, func(s *status) {
		s.Recent = func() []proxy.Scrape { return nil }
		s.Expiry = func(time.Time) []expiry.Entry { return nil }
		s.Gatherer = prometheus.NewRegistry()
		s.Upstream = func() (bool, time.Time) { return true, s.now() }
		s.Config.TLS.InsecureHTTP = true
	}), "").Body.String()
	for _, want := range []string{"None yet.", "Nothing.", "Plain HTTP: none.", `<span class="ok">up</span>`,
		`<span class="warn">plain HTTP</span>`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
}

func TestStatusThatCannotBeGathered(t *testing.T) {
	w := getPage(statusOf(t, func(s *status) {
		s.Gatherer = prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return nil, errors.New("broken") })
	}), "")
	if w.Code != http.StatusInternalServerError || strings.TrimSpace(w.Body.String()) != "Internal Server Error" {
		t.Errorf("%d %s", w.Code, w.Body.String())
	}
}

func TestFastest(t *testing.T) {
	now := time.Now()
	at := func(who string, ago ...float64) (list []proxy.Scrape) {
		for _, seconds := range ago {
			list = append(list, proxy.Scrape{Who: who, At: now.Add(-time.Duration(seconds * float64(time.Second)))})
		}
		return list
	}
	for _, test := range []struct {
		scrapes []proxy.Scrape
		rate    float64
		who     string
	}{
		{nil, 0, ""}, {at("a", 1), 0, ""}, {at("a", 0, 10), 0.1, "a"},
		{append(at("a", 0, 10), at("b", 0, 1, 2)...), 1, "b"}, {at("a", 0, 0.1, 0.2), 2, "a"},
	} {
		if rate, who := fastest(test.scrapes); rate != test.rate || who != test.who {
			t.Errorf("%v: %v %s, want %v %s", test.scrapes, rate, who, test.rate, test.who)
		}
	}
}
