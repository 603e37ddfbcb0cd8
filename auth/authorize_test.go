package auth

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

func TestAuthorizeAnswers(t *testing.T) {
	yes := func(*http.Request, Identity) error { return nil }
	say := func(err error) Authorizer { return func(*http.Request, Identity) error { return err } }
	never := func(*http.Request, Identity) error { t.Error("asked after a no"); return nil }
	host := identity(MethodCertificate, "dns:a")
	for _, test := range []struct {
		name   string
		list   string
		id     Identity
		more   []Authorizer
		status int
		retry  string
		denied float64
	}{
		{"allowed", "dns:a", host, nil, 200, "", 0},
		{"allowed twice", "dns:a", host, []Authorizer{yes, yes}, 200, "", 0},
		{"not listed", "dns:b", host, []Authorizer{never}, 403, "", 1},
		{"empty list", "", host, []Authorizer{never}, 403, "", 1},
		{"no identity", "*", Identity{}, []Authorizer{never}, 403, "", 1},
		{"listed, denied", "dns:a", host, []Authorizer{yes, say(fmt.Errorf("x: %w", ErrDenied)), never}, 403, "", 1},
		{"listed, another error", "dns:a", host, []Authorizer{say(errors.New("x")), never}, 403, "", 1},
		{"listed, unavailable", "dns:a", host, []Authorizer{say(fmt.Errorf("x: %w", ErrUnavailable)), never}, 503,
			"10", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := ParsePolicy(test.list)
			if err != nil {
				t.Fatal(err)
			}
			metrics := NewMetrics(prometheus.NewRegistry())
			h := Authorize(p, "metrics", Options{Metrics: metrics, Challenge: true}, test.more...)(ok)
			r := request()
			resp := serve(h, r.WithContext(NewContext(r.Context(), test.id)))
			if resp.StatusCode != test.status {
				t.Fatalf("answer %d, want %d", resp.StatusCode, test.status)
			}
			if n := count(t, metrics.deniedOf("metrics")); n != test.denied {
				t.Errorf("counted %v denials, want %v", n, test.denied)
			}
			if test.status == 200 {
				return
			}
			checkRefusalHeaders(t, resp, test.retry)
			if resp.Header.Get("WWW-Authenticate") != "" {
				t.Error("a known caller is challenged")
			}
		})
	}
}

func TestAuthorizeWithoutAuthenticate(t *testing.T) {
	p, _ := ParsePolicy("*")
	if resp := serve(Authorize(p, "metrics", Options{})(ok), request()); resp.StatusCode != 403 {
		t.Fatalf("answer %d", resp.StatusCode)
	}
}

// The log of a refusal names the caller, the list and what to add to it.
func TestDenialsSayWhatToAllow(t *testing.T) {
	many := identity(MethodOIDC, "user:alice")
	for i := range 20 {
		many.Groups = append(many.Groups, fmt.Sprintf("g%d", i))
	}
	for _, test := range []struct {
		name, list string
		id         Identity
		want       []string
	}{
		{"certificate", "token:a,dns:b", Identity{Method: MethodCertificate, Subject: "uri:x://y/z",
			Names: []string{"uri:x://y/z", "cn:p"}, Groups: []string{"org"}},
			[]string{"METRICS_ALLOW (token:a, dns:b)", "add one of: uri:x://y/z, cn:p"}},
		{"nobody listed", "", identity(MethodToken, "token:a"), []string{"METRICS_ALLOW allows nobody",
			"set it to one of: token:a"}},
		{"groups", "token:a", many, []string{"user:alice, group:g0", "…"}},
		{"no name", "token:a", identity(MethodCertificate), []string{"* (it has no name"}},
		{"name with a comma", "token:a", identity(MethodOIDC, "user:cn=a,ou=b"),
			[]string{`add one of: "user:cn=a,ou=b"`}},
		{"wildcard certificate", "token:a", identity(MethodCertificate, "dns:*.example"),
			[]string{`"dns:*.example" (which no pattern can write)`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			p, err := ParsePolicy(test.list)
			if err != nil {
				t.Fatal(err)
			}
			h := Authorize(p, "metrics", Options{Log: slog.New(slog.NewJSONHandler(&log, nil)),
				AllowList: "METRICS_ALLOW"})(
				ok,
			)
			r := request()
			serve(h, r.WithContext(NewContext(r.Context(), test.id)))
			line := records(t, &log)[0]
			if line["level"] != "WARN" || line["route"] != "metrics" || line["subject"] != test.id.Subject ||
				line["reason"] != "denied" {
				t.Errorf("log %v", line)
			}
			for _, want := range test.want {
				if !strings.Contains(line["err"].(string), want) {
					t.Errorf("err %q lacks %q", line["err"], want)
				}
			}
		})
	}
}

func TestRefusalLogsAreShort(t *testing.T) {
	var log bytes.Buffer
	long := "x" + strings.Repeat("ä", 100_000)
	err := &Refusal{Method: MethodOIDC, Subject: long, Issuer: long, Err: errors.New(long)}
	h := Authenticate(answer{err: err}, Options{Log: slog.New(slog.NewJSONHandler(&log, nil))})(ok)
	serve(h, request())
	if n := log.Len(); n > 3*clipBytes+300 {
		t.Fatalf("a line of %d bytes", n)
	}
	if strings.ContainsRune(log.String(), '\uFFFD') {
		t.Fatal("cut within a character")
	}
}

func TestAllowedIsDebug(t *testing.T) {
	var log bytes.Buffer
	p, _ := ParsePolicy("dns:a")
	o := Options{Log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	r := request()
	serve(Authorize(p, "pprof", o)(ok), r.WithContext(NewContext(r.Context(), identity(MethodCertificate, "dns:a"))))
	if lines := records(t, &log); len(lines) != 1 || lines[0]["level"] != "DEBUG" || lines[0]["reason"] != "dns:a" {
		t.Fatalf("log %s", log.String())
	}
}

func TestMetricsBeginAtZero(t *testing.T) {
	registry := prometheus.NewRegistry()
	metrics := NewMetrics(registry)
	Authorize(Policy{}, "pprof", Options{Metrics: metrics})
	for name, want := range map[string]int{"metrics_gate_authentications_total": 5 * 8,
		"metrics_gate_authorizations_denied_total": 1} {
		if n := series(t, registry, name); n != want {
			t.Errorf("%s: %d series, want %d", name, n, want)
		}
	}
	metrics.authenticated("caller's", "choice")
	if n := series(t, registry, "metrics_gate_authentications_total"); n != 40 {
		t.Errorf("%d series after a label from outside the set", n)
	}
	var none *Metrics
	none.authenticated(MethodToken, ReasonSuccess)
	none.deniedOf("x").Inc()
}

// count returns the value of a counter.
func count(t *testing.T, c prometheus.Counter) float64 {
	t.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}

// series returns how many series the registry has under name.
func series(t *testing.T, registry *prometheus.Registry, name string) int {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return len(family.GetMetric())
		}
	}
	return 0
}
