package auth

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestProbeReportsTheIssuer(t *testing.T) {
	f := newOIDCFixture(t, func(o *OIDCOptions) { o.Now = nil })
	f.issuer.publish(jwkSet(t, f.key, newRSAKey(t, "weak", 1024)))
	report, err := f.oidc.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if report.KeysURL != f.issuer.URL+"/keys" || !slices.Equal(report.KeyIDs, []string{"k1"}) ||
		len(
			report.Unused,
		) != 1 || report.Unused[0].KeyID != "weak" || !report.ClockKnown || report.Clock.Abs() > time.Minute {
		t.Errorf("report %+v", report)
	}
	if f.oidc.keys.ring.Load() != nil {
		t.Error("the probe has changed the keys in use")
	}
}

func TestProbeReadsTheKeyFile(t *testing.T) {
	f := newOIDCFixture(t, nil)
	path := oidcFile(t, "keys", string(jwkSet(t, f.key)))
	a := f.authenticator(t, func(o *OIDCOptions) { o.JWKSFile, o.CAFile = path, "" })
	if report, err := a.Probe(t.Context()); err != nil || report.KeysURL != path || len(report.KeyIDs) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestProbeExplainsFailures(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	say := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
	}
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		status int
		text   []string
	}{
		{"unauthorized", status(401), 401, []string{"status 401"}},
		{"forbidden", status(403), 403, []string{"status 403"}},
		{"missing", status(404), 404, []string{"status 404"}},
		{"redirect", status(302), 302, []string{"status 302"}},
		{"no JSON", say("<html>"), 200, []string{"not one JSON object"}},
		{"another issuer", say(`{"issuer":"https://other.example"}`), 200, []string{`"https://other.example"`,
			`"https://127.0.0.1`}},
		{"UTF-16", say("\xff\xfe{\x00}\x00"), 200, []string{"BOM"}},
		{"hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, []string{"EOF"}},
	} {
		f := newOIDCFixture(t, nil)
		f.issuer.answer(test.answer)
		_, err := f.oidc.Probe(t.Context())
		var issuer *IssuerError
		if !errors.As(err, &issuer) || issuer.Status != test.status || issuer.Advice == "" ||
			issuer.URL != f.issuer.URL+"/.well-known/openid-configuration" {
			t.Errorf("%s: %+v, %v", test.name, issuer, err)
			continue
		}
		for _, text := range test.text {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v lacks %s", test.name, err, text)
			}
		}
		if (issuer.Issuer != "") != (test.name == "another issuer") {
			t.Errorf("%s: issuer %q", test.name, issuer.Issuer)
		}
	}
}

func TestReviewProbes(t *testing.T) {
	f := newAPIFake(t)
	token, access := newReview(t, f.options(t)), newAccess(t, f.options(t))
	if err := errors.Join(token.Probe(), access.Probe()); err != nil {
		t.Error(err)
	}
	f.set(func() { f.forbidden = true })
	for _, err := range []error{token.Probe(), access.Probe()} {
		if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "RBAC") {
			t.Errorf("forbidden: %v", err)
		}
	}
}

// gzipped answers with what h answers, in gzip, whatever the request accepts.
func gzipped(h http.Handler, encoding string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", encoding)
		z := gzip.NewWriter(w)
		h.ServeHTTP(gzipWriter{w, z}, r)
		_ = z.Close()
	}
}

type gzipWriter struct {
	http.ResponseWriter
	z *gzip.Writer
}

func (w gzipWriter) Write(p []byte) (int, error) { return w.z.Write(p) }

func TestGzipAnswersAreRead(t *testing.T) {
	for encoding, good := range map[string]bool{"gzip": true, "x-gzip": true, "GZIP": true, "br": false,
		"gzip, gzip": false} {
		f := newOIDCFixture(t, nil)
		keys := jwkSet(t, f.key)
		f.issuer.answer(func(w http.ResponseWriter, r *http.Request) {
			if got := r.Header.Get("Accept-Encoding"); got != "identity" {
				t.Errorf("asks for %q", got)
			}
			gzipped(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/.well-known/") {
					_, _ = io.WriteString(w, `{"issuer":"`+f.issuer.URL+`","jwks_uri":"`+f.issuer.URL+`/keys"}`)
					return
				}
				_, _ = w.Write(keys)
			}), encoding)(w, r)
		})
		if _, err := f.try(f.good(t)); (err == nil) != good {
			t.Errorf("%s: %v", encoding, err)
		}
	}
}

func TestGzipBombIsBounded(t *testing.T) {
	f := newOIDCFixture(t, nil)
	f.issuer.answer(gzipped(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		blank := []byte(strings.Repeat(" ", 1<<20))
		for range 64 {
			if _, err := w.Write(blank); err != nil {
				return
			}
		}
	}), "gzip"))
	if _, err := f.oidc.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), "more than 1048576 bytes") {
		t.Errorf("%v", err)
	}
}
