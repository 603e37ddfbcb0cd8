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
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/configtest"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/expiry"
	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

const hostile = "<script>alert(1)</script>\"'&amp;`\u202e{{.Started}}--></title>"

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
	allowed := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "metrics_gate_rule_last_used_timestamp_seconds"},
		[]string{"rule"})
	allowed.WithLabelValues("dns:prometheus.demo").Set(float64(now.Add(-5 * time.Second).Unix()))
	allowed.WithLabelValues("token:prometheus").Set(0)
	registry.MustRegister(refused, keys, connections, allowed)
	s := &status{
		started: now.Add(-49 * time.Hour), now: func() time.Time { return now },
	}
	at := func(ago time.Duration) time.Time { return now.Add(-ago) }
	good := proxy.Scrape{Who: hostile, Remote: "10.0.0.7:40000", At: at(5 * time.Second),
		Duration: 12 * time.Millisecond, Samples: 335, Bytes: 4321, Code: 200, Encoding: "gzip",
		Format: "text/plain; version=0.0.4; charset=utf-8"}
	before := good
	before.At = at(6 * time.Second)
	failed := proxy.Scrape{Who: "dns:ha-2.example", Remote: "[fd00::2]:40001", At: at(6 * time.Second),
		Duration: 9 * time.Second, Code: 502, Reason: "refused", Err: "upstream: " + hostile}
	cut := proxy.Scrape{Who: "token:late", Remote: "10.0.0.9:1", At: at(10 * time.Minute), Reason: "left",
		Err: "client left"}
	s.Options = Options{
		Config: c, Version: "1.2.3", Listen: "127.0.0.1:9253", Gatherer: registry,
		Log:        slog.New(slog.DiscardHandler),
		RunnerName: func() string { return "build-01" + hostile },
		Ready:      func(time.Time) error { return nil },
		Recent:     func() []proxy.Scrape { return []proxy.Scrape{good, before, failed, cut} },
		Scrapers: func() []proxy.Scraper {
			return []proxy.Scraper{
				{Address: "10.0.0.9", Latest: cut, Scrapes: 9, Failed: 9, Interval: 15 * time.Second},
				{Address: "10.0.0.7", Latest: good, Scrapes: 40, LastSuccess: good.At, Interval: 15 * time.Second},
				{Address: "[fd00::2]", Latest: failed, Scrapes: 2, Failed: 1, LastSuccess: at(21 * time.Second)},
			}
		},
		Upstream: func() proxy.UpstreamState {
			return proxy.UpstreamState{Since: at(3 * time.Minute), Version: "19.3.0" + hostile,
				Err: upstream.Errorf(upstream.ReasonRefused, "dial: %s", hostile)}
		},
		Reloads: func() []Reload {
			return []Reload{{What: "tls", Loaded: at(25 * time.Hour)}, {What: "tokens", Err: "line 3: " + hostile,
				Advice: "correct " + hostile, ErrAt: at(2 * time.Second), Failing: true},
				{What: "jwks", Err: "empty", Advice: "fill it", ErrAt: at(time.Hour)}}
		},
		Refusals: new(Refusals),
		Expiry: func(time.Time) []expiry.Entry {
			return []expiry.Entry{{Role: "client_ca", Subject: "CN=ca", NotAfter: now.Add(99 * time.Hour), Days: 4},
				{Role: "server", Subject: "CN=" + hostile, NotAfter: now.Add(-time.Hour), Days: -1},
				{Role: "crl", Subject: "CN=ca", NotAfter: now.Add(2400 * time.Hour), Days: 100}}
		},
	}
	log := slog.New(s.Refusals.Handler(slog.DiscardHandler))
	log.Warn("authentication refused", "remote", "10.0.0.66:9999", "method", "certificate", "subject", hostile,
		"issuer", "CN="+hostile, "reason", "expired", "err", hostile, "advice", "renew "+hostile)
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

// squeezed is the page without the places where it may break.
func squeezed(page string) string {
	return strings.NewReplacer("<wbr>", "", "<bdi>", "", "</bdi>", "").Replace(page)
}

func TestStatusPage(t *testing.T) {
	page := squeezed(getPage(statusOf(t, nil), "text/html").Body.String())
	for _, want := range []string{
		"<title>build-01" + html.EscapeString(hostile) + ": runner down - metrics-gate</title>",
		"<h1>build-01", "metrics-gate 1.2.3, as of <time datetime=\"2026-11-22T03:00:00Z\">2026-11-22 03:00:00 UTC<",
		"2 days ago", `<span class="bad">down</span>`,
		`since <time datetime="2026-11-22T02:57:00Z">2026-11-22 02:57:00 UTC</time> <span class="dim ago">3 min ago`,
		"19.3.0", `<span class="ok">ready</span>`, "certificate, token", "<code>dns:prometheus.demo</code>",
		"<td>authentication token: unknown</td><td class=\"n\">7",
		"5 s ago", "12 ms", "335", `<span class="bad">cut</span>`,
		`4.2 KiB <span class="dim">text 0.0.4, gzip`, "<b>refused</b> upstream: ", "[fd00::2]:40001",
		"15 s", "one scrape", `<span class="bad">never</span>`, `<span class="warn">late</span>`, "9 of 9", "0 of 40",
		"250 of 256", "98 %", "RATE_LIMIT", "100 %", "9 s of 10 s", `<span class="bad">expired</span>`,
		`<span class="bad">4 days</span>`, `<span class="ok">100 days</span>`, "2026-11-22 02:00:00 UTC",
		"https://issuer.example", "60 min ago", "never fetched", `href="/metrics"`, `href="/livez"`, `href="/readyz"`,
		"authentication refused", "10.0.0.66:9999", "<b>expired</b>", "certificate from ", "renew ",
		`<span class="bad">refused</span>, <time datetime="2026-11-22T02:59:58Z">`, "line 3: ", "good again",
		"25 h ago",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
	for _, never := range []string{"<script", "revoked", "http-equiv=\"set-cookie", "src=", "url(", "@import",
		"token: success"} {
		if strings.Contains(page, never) {
			t.Errorf("%q is in it", never)
		}
	}
	if t.Failed() {
		t.Log(page)
	}
}

// What wants attention is on top, and first of all what has expired.
func TestStatusAttention(t *testing.T) {
	page := squeezed(getPage(statusOf(t, nil), "").Body.String())
	_, box, _ := strings.Cut(page, `<section id="attention">`)
	box, after, _ := strings.Cut(box, "</section>")
	if !strings.Contains(after, `<section id="state">`) {
		t.Error("not on top")
	}
	position := 0
	for _, want := range []string{
		`class="bad">server CN=`, "expired on 2026-11-22",
		"renew it; clients refuse the gate&#39;s certificate until then",
		`class="bad">runner down: `, "start the runner with",
		`class="bad">reload of tokens refused`, `class="bad">issuer https://down.example: keys never fetched`,
		`class="warn">client_ca CN=ca expires on 2026-11-26 (4 days)`,
		`class="warn">limits: open connections`,
		`class="warn">scraper token:late at 10.0.0.9: no scrape for 10 min, after 9 scrapes`,
	} {
		i := strings.Index(box[position:], want)
		if i < 0 {
			t.Fatalf("no %q, in this order, in\n%s", want, box)
		}
		position += i
	}
	quiet := getPage(statusOf(t, inPeace), "").Body.String()
	if strings.Contains(quiet, "attention\"") || !strings.Contains(quiet, `<span class="ok">100 days</span>`) {
		t.Error("attention without a reason")
	}
}

// inPeace is a gate about which there is nothing to say.
func inPeace(s *status) {
	s.Recent = func() []proxy.Scrape { return nil }
	s.Scrapers = func() []proxy.Scraper { return nil }
	s.Reloads = func() []Reload { return nil }
	s.Refusals = new(Refusals)
	s.Gatherer = prometheus.NewRegistry()
	s.Upstream = func() proxy.UpstreamState { return proxy.UpstreamState{Up: true, Since: s.now()} }
	s.Expiry = func(time.Time) []expiry.Entry {
		return []expiry.Entry{
			{Role: "server", Subject: "CN=gate", NotAfter: s.now().Add(2400 * time.Hour), Days: 100},
		}
	}
}

// A page of names that break the letter of HTML, of attributes and of terminals is still a page: the
// same elements in the same order as with plain names.
func TestStatusEscapes(t *testing.T) {
	elements := regexp.MustCompile(`</?[a-z][^<>]*>`)
	attributes := regexp.MustCompile(`"[^"]*"`)
	shape := func(change func(*status)) []string {
		list := elements.FindAllString(squeezed(getPage(statusOf(t, change), "").Body.String()), -1)
		for i := range list {
			list[i] = attributes.ReplaceAllString(list[i], "")
		}
		return list
	}
	plain := shape(func(s *status) {
		s.RunnerName = func() string { return "build-01" }
		*s.Refusals = Refusals{}
		slog.New(s.Refusals.Handler(slog.DiscardHandler)).
			Warn("refused", "remote", "a", "method", "b", "subject", "c",
				"issuer", "d", "reason", "e", "err", "f", "advice", "g")
	})
	if got := shape(nil); !slices.Equal(got, plain) {
		t.Errorf("%d elements, want %d: %q", len(got), len(plain), got)
	}
}

func TestPieces(t *testing.T) {
	for name, want := range map[string][]string{
		"": {""}, "plain": {"plain"},
		"spiffe://td.example/ns/a-b": {"spiffe://", "td.", "example/", "ns/", "a-", "b"},
		"system:serviceaccount:monitoring:prometheus-k8s": {"system:", "serviceaccount:", "monitoring:", "prometheus-",
			"k8s"},
		"CN=é,OU=b/": {"CN=", "é,", "OU=", "b/"}, "/": {"/"}, "http://127.0.0.1:9252": {"http://127.0.0.1:9252"},
	} {
		if got := pieces(name); !slices.Equal(got, want) || strings.Join(got, "") != name {
			t.Errorf("%q: %q", name, got)
		}
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
	}), "application/json")
	var r Report
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%v %v", err, w.Header())
	}
	if r.NotReady != "certificate has ended" || r.Runner.Name != "build-01"+hostile || r.Runner.State != "down" ||
		r.Runner.Reason != "refused" || !strings.Contains(r.Runner.Version, "19.3.0") || len(r.Findings) < 5 ||
		r.Expiry[0].Role != "server" || r.Refused[0].Advice != "renew "+hostile || !r.Reloads[1].Failing ||
		r.Scrapers[0].Interval != 15 || !r.Scrapers[2].LastSuccess.IsZero() {
		t.Errorf("%+v", r)
	}
	if s := r.Scrapes[0]; len(r.Scrapes) != 4 || s.Subject != hostile || s.Duration != 0.012 || s.Bytes != 4321 ||
		s.Encoding != "gzip" || !strings.HasPrefix(s.Format, "text/plain") || s.Remote != "10.0.0.7:40000" {
		t.Errorf("%+v", s)
	}
	if s := r.Scrapes[2]; s.Reason != "refused" || s.Err != "upstream: "+hostile || s.Status != 502 {
		t.Errorf("%+v", s)
	}
}

func TestStatusOfARunnerNotAsked(t *testing.T) {
	var r Report
	w := getPage(statusOf(t, func(s *status) {
		s.Upstream = func() proxy.UpstreamState { return proxy.UpstreamState{} }
	}), "application/json")
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || r.Runner.State != "not asked yet" ||
		!r.Runner.Since.IsZero() || r.Runner.Err != "" {
		t.Errorf("%v %+v", err, r.Runner)
	}
}

func TestStatusOfNothing(t *testing.T) {
	page := getPage(statusOf(t, func(s *status) {
		inPeace(s)
		s.Expiry = func(time.Time) []expiry.Entry { return nil }
		s.Config.TLS.InsecureHTTP = true
	}), "").Body.String()
	for _, want := range []string{"None yet.", "None.", "Nothing.", "Plain HTTP: none.", "No files.",
		`<span class="ok">up</span>`,
		"not seen yet",
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

// A reload that is refused has its advice in its row too; one that is good again needs none.
func TestReloadRowHasTheAdvice(t *testing.T) {
	page := squeezed(getPage(statusOf(t, nil), "").Body.String())
	_, rows, _ := strings.Cut(page, `<section id="reloads">`)
	rows, _, _ = strings.Cut(rows, "</section>")
	if !strings.Contains(rows, "correct ") || strings.Contains(rows, "fill it") {
		t.Error(rows)
	}
}
