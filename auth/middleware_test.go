package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// answer is an Authenticator with one answer.
type answer struct {
	id    Identity
	err   error
	asked *int
}

func (a answer) Authenticate(*http.Request) (Identity, error) {
	if a.asked != nil {
		*a.asked++
	}
	return a.id, a.err
}

var ok = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "in") })

// serve sends r through h and returns the answer.
func serve(h http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// records decodes the JSON lines of a log.
func records(t *testing.T, log *bytes.Buffer) (lines []map[string]any) {
	t.Helper()
	for line := range strings.Lines(log.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, record)
	}
	return lines
}

func TestAuthenticateAnswers(t *testing.T) {
	spent := func(*http.Request) (time.Duration, bool) { return 1500 * time.Millisecond, false }
	fresh := func(*http.Request) (time.Duration, bool) { return 0, true }
	refused := func(err error) error {
		return &Refusal{Method: MethodOIDC, Subject: "user:x", Issuer: "https://i", Err: err}
	}
	for _, test := range []struct {
		name           string
		err            error
		fail           func(*http.Request) (time.Duration, bool)
		status         int
		retry          string
		method, result string
	}{
		{"none", ErrNoCredential, fresh, 401, "", MethodNone, ReasonNone},
		{"bad", refused(errors.New("bad")), fresh, 401, "", MethodOIDC, ReasonBad},
		{"expired", refused(fmt.Errorf("x: %w", ErrExpired)), nil, 401, "", MethodOIDC, ReasonExpired},
		{"revoked", refused(ErrRevoked), fresh, 401, "", MethodOIDC, ReasonRevoked},
		{"unknown", refused(ErrUnknown), fresh, 401, "", MethodOIDC, ReasonUnknown},
		{"unavailable", refused(fmt.Errorf("x: %w", ErrUnavailable)), fresh, 503, "10", MethodOIDC, ReasonUnavailable},
		{"throttled", refused(ErrThrottled), fresh, 429, "1", MethodOIDC, ReasonThrottled},
		{"bad from a spent peer", refused(errors.New("bad")), spent, 429, "2", MethodOIDC, ReasonThrottled},
		{"unavailable from a spent peer", ErrUnavailable, spent, 429, "2", MethodNone, ReasonThrottled},
		{"denied is no answer here", ErrDenied, fresh, 401, "", MethodNone, ReasonBad},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			metrics := NewMetrics(prometheus.NewRegistry())
			h := Authenticate(answer{err: test.err}, Options{Log: slog.New(slog.NewJSONHandler(&log, nil)),
				Metrics: metrics, Fail: test.fail, Challenge: true})(ok)
			resp := serve(h, request())
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != test.status || string(body) != http.StatusText(test.status)+"\n" {
				t.Fatalf("answer %d %q, want %d", resp.StatusCode, body, test.status)
			}
			checkRefusalHeaders(t, resp, test.retry)
			challenge := resp.Header.Get("WWW-Authenticate")
			if (challenge == "Bearer") != (test.status == 401) {
				t.Errorf("WWW-Authenticate %q", challenge)
			}
			if n := count(t, metrics.authentications[[2]string{test.method, test.result}]); n != 1 {
				t.Errorf("counted %v as %s, %s", n, test.method, test.result)
			}
			lines := records(t, &log)
			if len(lines) != 1 || lines[0]["level"] != "WARN" || lines[0]["reason"] != test.result ||
				lines[0]["method"] != test.method {
				t.Errorf("log %s", log.String())
			}
		})
	}
}

func checkRefusalHeaders(t *testing.T, resp *http.Response, retry string) {
	t.Helper()
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		"Content-Type": "text/plain; charset=utf-8", "Retry-After": retry,
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s %q, want %q", name, got, want)
		}
	}
}

func TestAuthenticatePasses(t *testing.T) {
	id := identity(MethodToken, "token:a")
	metrics := NewMetrics(nil)
	fail := func(*http.Request) (time.Duration, bool) { t.Error("a success counts as a failure"); return 0, false }
	var got Identity
	h := Authenticate(answer{id: id}, Options{Metrics: metrics, Fail: fail})(http.HandlerFunc(
		func(_ http.ResponseWriter, r *http.Request) { got, _ = FromContext(r.Context()) }))
	if resp := serve(h, request()); resp.StatusCode != 200 || got.Key() != id.Key() {
		t.Fatalf("%d for %+v", resp.StatusCode, got)
	}
	if n := count(t, metrics.authentications[[2]string{MethodToken, ReasonSuccess}]); n != 1 {
		t.Fatalf("counted %v", n)
	}
}

func TestAuthenticateFailsClosed(t *testing.T) {
	if resp := serve(Authenticate(answer{}, Options{})(ok), request()); resp.StatusCode != 401 {
		t.Errorf("an identity of no method: %d", resp.StatusCode)
	}
	resp := serve(Authenticate(NewChain(), Options{})(ok), request())
	if resp.StatusCode != 401 || resp.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("nobody to ask: %d, challenge %q", resp.StatusCode, resp.Header.Get("WWW-Authenticate"))
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("body"))
	if resp := serve(Authenticate(NewChain(), Options{})(ok), r); resp.Header.Get("Connection") != "close" {
		t.Error("the connection of a refused body stays open")
	}
}

// The whole answer is the same for every path, method and fault.
func TestAuthenticateIsUniform(t *testing.T) {
	secret, line := newToken(t, "a")
	tokens, err := LoadTokens(tokensFile(t, line))
	if err != nil {
		t.Fatal(err)
	}
	h := Authenticate(NewChain(tokens), Options{Challenge: true})(ok)
	var want string
	for _, method := range []string{"GET", "POST", "OPTIONS", "TRACE", "BREW"} {
		for _, path := range []string{"/metrics", "/debug/pprof/", "/nothing", "/%2e%2e", "*"} {
			for _, authorization := range []string{"", "Bearer x", "Bearer " + secret[:9], "Basic eDp5"} {
				r := request()
				r.Method, r.URL.Path, r.RequestURI = method, path, path
				if authorization != "" {
					r.Header.Set("Authorization", authorization)
				}
				resp := serve(h, r)
				body, _ := io.ReadAll(resp.Body)
				got := fmt.Sprint(resp.StatusCode, resp.Header, string(body))
				if want == "" {
					want = got
				}
				if got != want {
					t.Fatalf("%s %s with %q: %s, elsewhere %s", method, path, authorization, got, want)
				}
			}
		}
	}
}

func TestRetrySeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{-1: "1", 0: "1", 1: "1", time.Second: "1", time.Second + 1: "2",
		time.Minute: "60"} {
		if got := retrySeconds(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

// asked counts how often a log is asked for its level.
type asked struct {
	slog.Handler
	times *int
}

func (a asked) Enabled(ctx context.Context, level slog.Level) bool {
	*a.times++
	return a.Handler.Enabled(ctx, level)
}

// A request that passes is a debug line, and costs nothing at another level.
func TestAllowedRequestIsADebugLine(t *testing.T) {
	for level, want := range map[slog.Level]bool{slog.LevelDebug: true, slog.LevelInfo: false} {
		var out strings.Builder
		times := 0
		log := slog.New(asked{slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level}), &times})
		all, err := ParsePolicy("*")
		if err != nil {
			t.Fatal(err)
		}
		h := Authenticate(answer{id: identity(MethodToken, "token:a")}, Options{Log: log})(
			Authorize(all, "metrics", Options{Log: log})(ok))
		before := times
		for range 3 {
			if res := serve(h, request()); res.StatusCode != http.StatusOK {
				t.Fatal(res.Status)
			}
		}
		lines := strings.Count(out.String(), `msg="request allowed"`)
		if want && (lines != 3 || !strings.Contains(out.String(), "route=metrics reason=*")) || !want && lines > 0 {
			t.Errorf("at %s: %s", level, out.String())
		}
		if !want && times > before {
			t.Errorf("at %s the log is asked %d times for three requests", level, times-before)
		}
	}
}
