package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Where a pod finds the API server's CA and its own service account token.
const (
	InClusterCAFile    = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
	InClusterTokenFile = "/var/run/secrets/kubernetes.io/serviceaccount/token"
)

const (
	reviewTimeout  = 3 * time.Second  // of one review, waiting for its turn included
	reviewAllowed  = 60 * time.Second // a yes is remembered
	reviewDenied   = 10 * time.Second // a no is remembered
	reviewEntries  = 4096             // of each cache
	reviewParallel = 8                // calls at one time, by default
)

// KubernetesOptions say how to reach the API server and what to ask it.
type KubernetesOptions struct {
	URL       string // https://HOST[:PORT][/PATH]; see InClusterURL
	CAFile    string // PEM; empty: InClusterCAFile. Never the system's roots
	TokenFile string // the gate's own token; empty: InClusterTokenFile

	// Audiences are those that TokenReview asks for; a token must be good for
	// one of them. None: for the API server's own.
	Audiences []string
	// Admit is asked before a token is shown to the API server; false makes
	// it ErrThrottled. Nil admits all.
	Admit func(*http.Request) bool
	// Parallel is how many calls may be under way at one time; 0 is 8.
	Parallel int
	Log      *slog.Logger     // what needs a person; nil: nothing
	Now      func() time.Time // nil: time.Now
}

// InClusterURL returns the API server's URL made of what a pod is told in
// KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT; both empty is an error
// that says so.
func InClusterURL(host, port string) (string, error) {
	if host == "" || port == "" {
		return "", errors.New("kubernetes: not in a pod (no KUBERNETES_SERVICE_HOST and _PORT); give the API server's URL")
	}
	return "https://" + net.JoinHostPort(host, port), nil
}

func (o *KubernetesOptions) fill() error {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "":
		return fmt.Errorf("kubernetes API URL %q: want https://HOST:PORT", o.URL)
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return errors.New("kubernetes API URL: has user info, a query or a fragment; want https://HOST:PORT")
	}
	for _, audience := range o.Audiences {
		if audience == "" {
			return errors.New("kubernetes audiences: one is empty")
		}
	}
	if o.CAFile == "" {
		o.CAFile = InClusterCAFile
	}
	if o.TokenFile == "" {
		o.TokenFile = InClusterTokenFile
	}
	if o.Parallel <= 0 {
		o.Parallel = reviewParallel
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Admit == nil {
		o.Admit = func(*http.Request) bool { return true }
	}
	return nil
}

// verdicts remembers a yes longer than a no, and keeps them apart so that a
// flood of refused credentials pushes no good one out.
type verdicts[V any] struct {
	now     func() time.Time
	allowed *cache[V]
	denied  *cache[error]
}

func newVerdicts[V any](now func() time.Time) *verdicts[V] {
	return &verdicts[V]{now: now, allowed: newCache[V](reviewEntries, now), denied: newCache[error](reviewEntries, now)}
}

// get returns what is remembered: a value, or the error of a no.
func (v *verdicts[V]) get(key [32]byte) (value V, err error, ok bool) {
	if value, ok := v.allowed.get(key); ok {
		return value, nil, true
	}
	err, ok = v.denied.get(key)
	return value, err, ok
}

// put remembers a verdict; nothing is remembered when nobody could be asked.
// A yes lasts no longer than until, unless that is zero.
func (v *verdicts[V]) put(key [32]byte, value V, until time.Time, err error) {
	now := v.now()
	switch {
	case errors.Is(err, ErrUnavailable):
	case err != nil:
		v.denied.put(key, err, now.Add(reviewDenied))
	default:
		if limit := now.Add(reviewAllowed); until.IsZero() || until.After(limit) {
			until = limit
		}
		v.allowed.put(key, value, until)
	}
}
