package auth

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Where a pod finds the API server's CA and its own service account token.
const (
	InClusterCAFile    = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
	InClusterTokenFile = "/var/run/secrets/kubernetes.io/serviceaccount/token"
)

const (
	reviewTimeout  = 3 * time.Second  // of one review, waiting for its turn included
	reviewAllowed  = 60 * time.Second // a yes is cached
	reviewDenied   = 10 * time.Second // a no is cached
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
	// Admit is asked before a token is sent to the API server; false ends the request with
	// ErrThrottled. Nil admits all.
	Admit func(*http.Request) bool
	// Parallel is how many calls may be under way at one time; 0 is 8.
	Parallel int
	Log      *slog.Logger     // for what an operator must fix; nil: nothing
	Now      func() time.Time // nil: the wall clock
}

// InClusterURL returns the API server's URL from the values of KUBERNETES_SERVICE_HOST and
// KUBERNETES_SERVICE_PORT, which every pod has. One of them empty is an error.
func InClusterURL(host, port string) (string, error) {
	if host == "" || port == "" {
		return "", errors.New("kubernetes: not in a pod (no KUBERNETES_SERVICE_HOST and _PORT); " +
			"give the API server's URL")
	}
	return "https://" + net.JoinHostPort(host, port), nil
}

// Validate returns an *OptionError for each mistake in o, joined. It reads no files.
func (o KubernetesOptions) Validate() error {
	var errs []error
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "":
		errs = append(errs, &OptionError{Option: OptionAPIURL, Value: redactURL(o.URL),
			Err: errors.New("not an https URL"), Advice: "write https://HOST:PORT"})
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		errs = append(errs, &OptionError{Option: OptionAPIURL, Value: redactURL(o.URL),
			Err: errors.New("has user info, a query or a fragment"), Advice: "write https://HOST:PORT"})
	}
	if slices.Contains(o.Audiences, "") {
		errs = append(errs, &OptionError{Option: OptionAPIAudiences, Value: strings.Join(o.Audiences, ","),
			Err: errors.New("one of them is empty"), Advice: "remove a comma"})
	}
	return errors.Join(errs...)
}

// withDefaults returns o with its zero fields filled in.
func (o KubernetesOptions) withDefaults() KubernetesOptions {
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
		o.Now = wallClock
	}
	if o.Admit == nil {
		o.Admit = func(*http.Request) bool { return true }
	}
	return o
}
