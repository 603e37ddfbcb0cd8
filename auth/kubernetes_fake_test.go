package auth

import (
	"bytes"
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
	"text/template"
)

const gateToken = "eyJnYXRlIjoxfQ.e30.Z2F0ZQ"

// podToken is one that the fake API server knows; its exp is in 2100.
const (
	podToken   = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjQxMDI0NDQ4MDB9.c2ln"
	staleToken = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjF9.c2ln"
)

// apiFake does what an API server does about reviews: it wants a caller it
// knows, with the right to create them, looks at the audiences, and answers in
// the recorded shape of testdata/kubernetes.
type apiFake struct {
	*httptest.Server
	ca      *authority
	answers *template.Template

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
	answers, err := template.New("").Funcs(template.FuncMap{"json": func(v any) (string, error) {
		b, err := json.Marshal(v)
		return string(b), err
	}}).ParseGlob("testdata/kubernetes/*.json")
	if err != nil {
		t.Fatal(err)
	}
	f := &apiFake{ca: newAuthority(t), answers: answers, caller: gateToken, asked: map[string]int{},
		audiences: map[string][]string{podToken: {"https://kubernetes.default.svc", "metrics-gate"}},
		rbac:      map[string]bool{"system:serviceaccount:monitoring:prometheus-k8s /metrics": true}}
	f.Server = httptest.NewUnstartedServer(f)
	f.TLS = &tls.Config{Certificates: []tls.Certificate{f.ca.issue(t, "kubernetes.default.svc", x509.ExtKeyUsageServerAuth)}}
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
	resource := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	switch {
	case override != nil:
		override(w, r)
	case r.Header.Get("Authorization") != "Bearer "+caller:
		f.answer(w, 401, "status-401.json", nil)
	case forbidden:
		f.answer(w, 403, "status-403.json", resource)
	case err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json":
		w.WriteHeader(http.StatusBadRequest)
	case r.URL.Path == "/apis/authentication.k8s.io/v1/tokenreviews" && review.APIVersion+review.Kind == "authentication.k8s.io/v1TokenReview":
		f.reviewToken(w, review.Spec)
	case r.URL.Path == "/apis/authorization.k8s.io/v1/subjectaccessreviews" && review.APIVersion+review.Kind == "authorization.k8s.io/v1SubjectAccessReview":
		f.reviewAccess(w, review.Spec)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (f *apiFake) answer(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := f.answers.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

func (f *apiFake) reviewToken(w http.ResponseWriter, spec map[string]any) {
	token, _ := spec["token"].(string)
	wanted := []string{"https://kubernetes.default.svc"} // the server's own
	if list, ok := spec["audiences"].([]any); ok {
		wanted = nil
		for _, audience := range list {
			wanted = append(wanted, fmt.Sprint(audience))
		}
	}
	f.mu.Lock()
	wanted = slices.DeleteFunc(wanted, func(a string) bool { return !slices.Contains(f.audiences[token], a) })
	f.mu.Unlock()
	switch {
	case token == staleToken:
		f.answer(w, 201, "tokenreview-expired.json", nil)
	case len(wanted) == 0:
		f.answer(w, 201, "tokenreview-invalid.json", token)
	default:
		f.answer(w, 201, "tokenreview-authenticated.json", wanted)
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
	name := "subjectaccessreview-denied.json"
	if allowed {
		name = "subjectaccessreview-allowed.json"
	}
	f.answer(w, 201, name, attributes["path"])
}

// options returns what a gate in the fake's cluster is configured with.
func (f *apiFake) options(t testing.TB) KubernetesOptions {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(gateToken+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return KubernetesOptions{URL: f.URL, CAFile: f.ca.file(t), TokenFile: path}
}
