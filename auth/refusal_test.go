package auth

import (
	"bytes"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

func refusalOf(t *testing.T, err error) *Refusal {
	t.Helper()
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		t.Fatalf("%v is no refusal", err)
	}
	return refusal
}

func TestRefusedTokensShowExpectedAndPresented(t *testing.T) {
	f := newOIDCFixture(t, nil)
	if _, err := f.try(f.good(t)); err != nil {
		t.Fatal(err)
	}
	now := f.clock.Now()
	other := newECKey(t, "k9")
	for _, test := range []struct {
		name, token string
		want        map[string]string
	}{
		{"audience", f.key.token(t, f.claims(object{"aud": []string{"shop", "web"}})),
			map[string]string{"presented_aud": "shop, web", "expected_aud": "other, gate"}},
		{"expired", f.key.token(t, f.claims(object{"exp": now.Add(-time.Hour).Unix(),
			"iat": now.Add(-2 * time.Hour).Unix()})),
			map[string]string{"exp": now.Add(-time.Hour).Format(time.RFC3339),
				"iat": now.Add(-2 * time.Hour).Format(time.RFC3339)}},
		{"not yet valid", f.key.token(t, f.claims(object{"nbf": now.Add(time.Hour).Unix()})),
			map[string]string{"nbf": now.Add(time.Hour).Format(time.RFC3339)}},
		{"lifetime", f.key.token(t, f.claims(object{"exp": now.Add(48 * time.Hour).Unix()})),
			map[string]string{"max_lifetime": "24h0m0s"}},
		{"unknown key", other.token(t, f.claims(nil)), map[string]string{"kid": "k9", "known_kids": "k1"}},
		{"algorithm", other.sign(t, "ES256", `{"alg":"none"}`, string(mustJSON(t, f.claims(nil)))),
			map[string]string{"alg": "none"}},
	} {
		_, err := f.try(test.token)
		refusal := refusalOf(t, err)
		if refusal.Subject != "prometheus" || refusal.Issuer != f.issuer.URL {
			t.Errorf("%s: subject %q of issuer %q", test.name, refusal.Subject, refusal.Issuer)
		}
		for key, want := range test.want {
			if got := detail(refusal, key); got != want {
				t.Errorf("%s: %s is %q, want %q", test.name, key, got, want)
			}
		}
	}
}

func TestTokenOfAnUnknownIssuerShowsWhoIsExpected(t *testing.T) {
	f, g := newOIDCFixture(t, nil), newOIDCFixture(t, nil)
	token := f.key.token(t, f.claims(object{"iss": "https://other.example"}))
	_, err := NewChain(f.oidc, g.oidc).Authenticate(bearerRequest(token))
	refusal := refusalOf(t, err)
	if !errors.Is(err, ErrUnknown) || errors.Is(err, ErrNoCredential) || refusal.Method != MethodNone {
		t.Errorf("%v, %+v", err, refusal)
	}
	if refusal.Issuer != "https://other.example" || refusal.Subject != "prometheus" ||
		detail(
			refusal,
			"expected_iss",
		) != f.issuer.URL+", "+g.issuer.URL || detail(refusal, "presented_iss") != "https://other.example" {
		t.Errorf("%+v", refusal)
	}
}

func TestRefusedReviewShowsTheToken(t *testing.T) {
	f := newAPIFake(t)
	o := f.options(t)
	o.Audiences = []string{"metrics-gate"}
	token := b64(`{"alg":"RS256"}`) + "." + b64(`{"iss":"https://idp.example","sub":"a","aud":"shop"}`) + ".c2ln"
	_, err := newReview(t, o).Authenticate(request("Bearer " + token))
	refusal := refusalOf(t, err)
	if refusal.Issuer != "https://idp.example" || refusal.Subject != "user:a" ||
		detail(refusal, "presented_aud") != "shop" || detail(refusal, "expected_aud") != "metrics-gate" {
		t.Errorf("%+v", refusal)
	}
}

func TestRefusedCertificateShowsItsSerial(t *testing.T) {
	a := NewCertificate(func([][]*x509.Certificate) error { return ErrRevoked })
	c := leaf(named)
	c.SerialNumber.SetInt64(0xabcdef)
	_, err := a.Authenticate(overTLS(c))
	if refusal := refusalOf(t, err); detail(refusal, "serial") != "abcdef" || detail(refusal, "not_after") == "" {
		t.Errorf("%+v", refusal)
	}
	unverified := overTLS(c)
	unverified.TLS.VerifiedChains = nil
	_, err = a.Authenticate(unverified)
	refusal := refusalOf(t, err)
	if detail(refusal, "serial") != "abcdef" || refusal.Subject != "dns:prometheus.example" {
		t.Errorf("not verified: %+v", refusal)
	}
}

func TestRefusalDetailsAreLogFields(t *testing.T) {
	var log bytes.Buffer
	refusal := &Refusal{Method: MethodOIDC, Err: errors.New("bad"), Details: []slog.Attr{slog.String("kid", "k9")}}
	serve(Authenticate(answer{err: refusal}, Options{Log: slog.New(slog.NewJSONHandler(&log, nil))})(ok), request())
	if line := records(t, &log)[0]; line["kid"] != "k9" || line["remote"] != request().RemoteAddr {
		t.Errorf("log %v", line)
	}
}

func TestOmittedNamesAreLoggedWhenDenied(t *testing.T) {
	var log bytes.Buffer
	p, err := ParsePolicy("group:ops")
	if err != nil {
		t.Fatal(err)
	}
	r := request()
	id := Identity{Method: MethodOIDC, Names: []string{"user:x"}, Omitted: "groups: left out"}
	r = r.WithContext(NewContext(r.Context(), id))
	resp := serve(Authorize(p, "metrics", Options{Log: slog.New(slog.NewJSONHandler(&log, nil))})(ok), r)
	if line := records(t, &log)[0]; resp.StatusCode != 403 || line["omitted"] != id.Omitted {
		t.Errorf("%d, log %v", resp.StatusCode, line)
	}
}

func TestRequestsAreCountedByRule(t *testing.T) {
	registry := prometheus.NewRegistry()
	metrics := NewMetrics(registry)
	scrape, err := ParsePolicy(`dns:A.example,token:b,"group:c,d"`)
	if err != nil {
		t.Fatal(err)
	}
	pprof, err := ParsePolicy("token:b,user:e")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Metrics: metrics}
	no := func(*http.Request, Identity) error { return ErrDenied }
	routes := []http.Handler{
		Authorize(scrape, "metrics", o)(ok),
		Authorize(pprof, "pprof", o)(ok),
		Authorize(scrape, "x", o, no)(ok),
	}
	for _, id := range []Identity{identity(MethodCertificate, "dns:a.example"), identity(MethodToken, "token:b"),
		identity(MethodToken, "token:z")} {
		for _, route := range routes {
			r := request()
			serve(route, r.WithContext(NewContext(r.Context(), id)))
		}
	}
	allowed, lastUsed := byRule(t, registry, "metrics_gate_allowed_total"), byRule(
		t,
		registry,
		"metrics_gate_rule_last_used_timestamp_seconds",
	)
	want := map[string]float64{"dns:A.example": 1, "token:b": 2, "group:c,d": 0, "user:e": 0}
	for rule, n := range want {
		if allowed[rule] != n || (lastUsed[rule] > 0) != (n > 0) {
			t.Errorf("%s: allowed %v, last used %v; want %v", rule, allowed[rule], lastUsed[rule], n)
		}
	}
	if len(allowed) != len(want) || len(lastUsed) != len(want) {
		t.Errorf("rules %v and %v, want those of both lists", allowed, lastUsed)
	}
}

// byRule returns the values of the metric of that name.
func byRule(t *testing.T, registry *prometheus.Registry, name string) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			values[metric.GetLabel()[0].GetValue()] = valueOf(metric)
		}
	}
	return values
}

func valueOf(metric *dto.Metric) float64 {
	if metric.Counter != nil {
		return metric.Counter.GetValue()
	}
	return metric.Gauge.GetValue()
}

func TestLongDetailsAreClipped(t *testing.T) {
	f := newOIDCFixture(t, nil)
	_, err := f.try(f.key.token(t, f.claims(object{"aud": strings.Repeat("x", 4000)})))
	if n := len(detail(refusalOf(t, err), "presented_aud")); n > clipBytes+len("…") {
		t.Errorf("presented_aud of %d bytes", n)
	}
}
