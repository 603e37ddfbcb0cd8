package auth

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const gateToken = "eyJnYXRlIjoxfQ.e30.Z2F0ZQ"

// ownAudience is the API server's own audience: its issuer.
const ownAudience = "https://kubernetes.default.svc"

// podToken is a token that the fake API server accepts; its exp is in 2100.
const (
	podToken   = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjQxMDI0NDQ4MDB9.c2ln"
	staleToken = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjF9.c2ln"
)

// apiFake is an API server for reviews. It authenticates and authorizes its caller, checks
// the audiences, and sends recorded answers of a real one (testdata/kubernetes) with the
// request's spec in them.
type apiFake struct {
	*httptest.Server
	ca      *testCA
	answers map[string]*recording

	mu        sync.Mutex
	caller    string              // the token it accepts; others are 401
	forbidden bool                // whether the caller lacks RBAC
	audiences map[string][]string // pod token → audiences it is good for
	rbac      map[string]bool     // "user path" → may get
	override  http.HandlerFunc    // instead of all that
	asked     map[string]int      // by path
	last      map[string]any      // spec of the last review
	hold      chan struct{}       // when set, answers wait for its closing
}

func newAPIFake(t testing.TB) *apiFake {
	t.Helper()
	f := &apiFake{ca: newTestCA(t), answers: recordings(t), caller: gateToken, asked: map[string]int{},
		audiences: map[string][]string{podToken: {ownAudience, "metrics-gate"}},
		rbac:      map[string]bool{"system:serviceaccount:monitoring:prometheus-k8s /metrics": true}}
	f.Server = httptest.NewUnstartedServer(f)
	f.TLS = &tls.Config{
		Certificates: []tls.Certificate{f.ca.issue(t, "kubernetes.default.svc", x509.ExtKeyUsageServerAuth)},
	}
	f.StartTLS()
	t.Cleanup(f.Close)
	return f
}

func (f *apiFake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *apiFake) calls() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, asked := range f.asked {
		n += asked
	}
	return n
}

func (f *apiFake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var review struct {
		APIVersion, Kind string
		Spec             map[string]any
	}
	err := json.Unmarshal(body, &review)
	f.mu.Lock()
	f.asked[r.URL.Path]++
	f.last = review.Spec
	hold, override, caller, forbidden := f.hold, f.override, f.caller, f.forbidden
	f.mu.Unlock()
	if hold != nil {
		<-hold
	}
	kind := "tokenreview"
	if strings.HasSuffix(r.URL.Path, "/subjectaccessreviews") {
		kind = "access"
	}
	switch {
	case override != nil:
		override(w, r)
	case r.Header.Get("Authorization") != "Bearer "+caller:
		f.answer(w, kind+"-unauthorized", nil)
	case forbidden:
		f.answer(w, kind+"-forbidden", nil)
	case err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json":
		w.WriteHeader(http.StatusBadRequest)
	case r.URL.Path == "/apis/authentication.k8s.io/v1/tokenreviews" &&
		review.APIVersion+review.Kind == "authentication.k8s.io/v1TokenReview":
		f.reviewToken(w, review.Spec)
	case r.URL.Path == "/apis/authorization.k8s.io/v1/subjectaccessreviews" &&
		review.APIVersion+review.Kind == "authorization.k8s.io/v1SubjectAccessReview":
		f.reviewAccess(w, review.Spec)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (f *apiFake) answer(w http.ResponseWriter, name string, edit func(body map[string]any)) {
	r, ok := f.answers[name]
	if !ok {
		http.Error(w, "no recording "+name, http.StatusTeapot)
		return
	}
	r.answer(w, edit)
}

// echo puts the request's spec into an answer, as the API server does.
func echo(spec map[string]any) func(map[string]any) {
	return func(body map[string]any) { body["spec"] = spec }
}

func (f *apiFake) reviewToken(w http.ResponseWriter, spec map[string]any) {
	token, _ := spec["token"].(string)
	wanted := []string{ownAudience}
	if list, ok := spec["audiences"].([]any); ok {
		wanted = nil
		for _, audience := range list {
			wanted = append(wanted, fmt.Sprint(audience))
		}
	}
	f.mu.Lock()
	good, known := f.audiences[token]
	f.mu.Unlock()
	wanted = slices.DeleteFunc(wanted, func(a string) bool { return !slices.Contains(good, a) })
	switch {
	case token == staleToken:
		f.answer(w, "tokenreview-expired", echo(spec))
	case !known:
		f.answer(w, "tokenreview-garbage", echo(spec))
	case len(wanted) == 0:
		f.answer(w, "tokenreview-wrong-audience", echo(spec))
	default:
		f.answer(w, "tokenreview-good", func(body map[string]any) {
			body["spec"] = spec
			body["status"].(map[string]any)["audiences"] = wanted
		})
	}
}

func (f *apiFake) reviewAccess(w http.ResponseWriter, spec map[string]any) {
	attributes, _ := spec["nonResourceAttributes"].(map[string]any)
	if attributes["verb"] != "get" || spec["user"] == nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	f.mu.Lock()
	allowed := f.rbac[fmt.Sprint(spec["user"], " ", attributes["path"])]
	f.mu.Unlock()
	name := "access-denied"
	if allowed {
		name = "access-allowed"
	}
	f.answer(w, name, echo(spec))
}

// options returns the options of a gate in the fake's cluster.
func (f *apiFake) options(t testing.TB) KubernetesOptions {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(gateToken+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return KubernetesOptions{URL: f.URL, CAFile: f.ca.file(t), TokenFile: path}
}
