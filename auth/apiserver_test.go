package auth

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func TestKubernetesOutages(t *testing.T) {
	f := newAPIFake(t)
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter,
		*http.Request) {
		t.Error("a redirect was followed")
	}))
	defer elsewhere.Close()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	yes := `{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1",` +
		`"status":{"authenticated":true,"user":{"username":"a"}}`
	say := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
	}
	for _, test := range []struct {
		name     string
		override http.HandlerFunc
	}{
		{"500", status(500)}, {"429", status(429)}, {"404", status(404)}, {"204", status(204)},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}},
		{"no JSON", say("<html>")}, {"empty", say("")}, {"cut off", say(yes)}, {"two", say(yes + "}{}")},
		{"too large", say(yes + strings.Repeat(" ", maxDocument) + "}")},
		{"compressed", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "" {
				t.Errorf("asks for %s", r.Header.Get("Accept-Encoding"))
			}
			w.WriteHeader(500)
		}},
		{"hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			f.set(func() { f.override = test.override })
			review := newReview(t, f.options(t))
			_, err := review.Authenticate(request("Bearer " + podToken))
			if !errors.Is(err, ErrUnavailable) {
				t.Fatalf("%v; want unavailable", err)
			}
			if strings.Contains(err.Error(), podToken) || strings.Contains(err.Error(), gateToken) {
				t.Fatalf("error shows a token: %v", err)
			}
			f.set(func() { f.override = nil })
			if _, err := review.Authenticate(request("Bearer " + podToken)); err != nil {
				t.Fatalf("an outage is cached: %v", err)
			}
		})
	}
	f.Close()
	if _, err := newReview(t, f.options(t)).Authenticate(request("Bearer " + podToken)); !errors.Is(err,
		ErrUnavailable) {
		t.Fatalf("nobody there: %v", err)
	}
}

func TestKubernetesOwnCredentials(t *testing.T) {
	for _, test := range []struct {
		name string
		edit func(*apiFake)
		want []string // in the log
	}{
		{"token not accepted", func(f *apiFake) { f.caller = "another" },
			[]string{"does not accept the gate's own token", "/token"}},
		{"RBAC missing", func(f *apiFake) { f.forbidden = true }, []string{"system:auth-delegator",
			"verb create on tokenreviews"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newAPIFake(t)
			test.edit(f)
			var log bytes.Buffer
			o := f.options(t)
			o.Log = slog.New(slog.NewJSONHandler(&log, nil))
			review := newReview(t, o)
			for range 5 { // the log says it once
				if _, err := review.Authenticate(request("Bearer " + podToken)); !errors.Is(err, ErrUnavailable) {
					t.Fatalf("%v; want unavailable", err)
				}
			}
			lines := records(t, &log)
			if len(lines) != 1 || lines[0]["level"] != "ERROR" {
				t.Fatalf("log %s", log.String())
			}
			for _, want := range test.want {
				if !strings.Contains(log.String(), want) {
					t.Errorf("log %s lacks %q", log.String(), want)
				}
			}
			if strings.Contains(log.String(), gateToken) || strings.Contains(log.String(), podToken) {
				t.Errorf("log shows a token: %s", log.String())
			}
		})
	}
}

func TestKubernetesFilesAreReadAgain(t *testing.T) {
	f := newAPIFake(t)
	o := f.options(t)
	review := newReview(t, o)
	n := 0
	ask := func() error { // of a token never seen before
		n++
		token := fmt.Sprint("token", n)
		f.set(func() { f.audiences[token] = f.audiences[podToken] })
		_, err := review.Authenticate(request("Bearer " + token))
		return err
	}
	write := func(path, content string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	f.set(func() { f.caller = "rotated" })
	if err := ask(); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("with the old token: %v", err)
	}
	write(o.TokenFile, "rotated")
	if err := ask(); err != nil {
		t.Fatalf("with the new token: %v", err)
	}
	ca, err := os.ReadFile(o.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	write(o.CAFile, "torn")
	if err := ask(); err != nil {
		t.Fatalf("a torn CA file took the old trust: %v", err)
	}
	other, err := os.ReadFile(newTestCA(t).file(t))
	if err != nil {
		t.Fatal(err)
	}
	write(o.CAFile, string(other))
	if err := ask(); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("a server of another CA: %v", err)
	}
	write(o.CAFile, string(ca))
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	write(o.TokenFile, "two words")
	if err := ask(); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("a torn token file: %v", err)
	}
}

func TestKubernetesIgnoresTheEnvironmentsProxy(t *testing.T) {
	f := newAPIFake(t)
	review := newReview(t, f.options(t))
	client, err := review.api.current()
	if err != nil || client.Transport.(*http.Transport).Proxy != nil {
		t.Fatalf("proxy set, %v", err)
	}
}

func TestKubernetesOptions(t *testing.T) {
	f := newAPIFake(t)
	for name, edit := range map[string]func(*KubernetesOptions){
		"no URL":         func(o *KubernetesOptions) { o.URL = "" },
		"http":           func(o *KubernetesOptions) { o.URL = "http://127.0.0.1" },
		"user info":      func(o *KubernetesOptions) { o.URL = "https://a:b@127.0.0.1" },
		"query":          func(o *KubernetesOptions) { o.URL = "https://127.0.0.1?a" },
		"no host":        func(o *KubernetesOptions) { o.URL = "https://:443" },
		"no CA":          func(o *KubernetesOptions) { o.CAFile = "/nowhere" },
		"CA is no PEM":   func(o *KubernetesOptions) { o.CAFile = o.TokenFile },
		"no token":       func(o *KubernetesOptions) { o.TokenFile = "/nowhere" },
		"token is a PEM": func(o *KubernetesOptions) { o.TokenFile = o.CAFile },
		"empty audience": func(o *KubernetesOptions) { o.Audiences = []string{"a", ""} },
	} {
		o := f.options(t)
		edit(&o)
		if _, err := NewTokenReview(o); err == nil {
			t.Errorf("%s: accepted by NewTokenReview", name)
		}
		if _, err := NewAccessReview(o); err == nil || strings.Contains(err.Error(), "a:b") {
			t.Errorf("%s: %v by NewAccessReview", name, err)
		}
	}
	if f.calls() != 0 {
		t.Error("a constructor dials")
	}
	for host, want := range map[string]string{"10.0.0.1": "https://10.0.0.1:443",
		"fd00::1": "https://[fd00::1]:443", "": ""} {
		if got, err := InClusterURL(host, "443"); got != want || (err == nil) != (want != "") {
			t.Errorf("InClusterURL(%q) = %q, %v", host, got, err)
		}
	}
}
