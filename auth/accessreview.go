package auth

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// AccessReview asks the Kubernetes API server whether an identity may get the
// path of a request (a nonResourceURL of RBAC; authorization.k8s.io/v1). It is
// safe for concurrent use.
type AccessReview struct {
	api      *apiServer
	verdicts *verdicts[struct{}]
	calls    singleFlight[struct{}]
}

type accessReview struct {
	APIVersion string             `json:"apiVersion"`
	Kind       string             `json:"kind"`
	Spec       accessReviewSpec   `json:"spec"`
	Status     accessReviewStatus `json:"status"`
}

type accessReviewSpec struct {
	Attributes nonResourceAttributes `json:"nonResourceAttributes"`
	User       string                `json:"user,omitempty"`
	UID        string                `json:"uid,omitempty"`
	Groups     []string              `json:"groups,omitempty"`
	Extra      map[string][]string   `json:"extra,omitempty"`
}

type nonResourceAttributes struct {
	Path string `json:"path"`
	Verb string `json:"verb"`
}

type accessReviewStatus struct {
	Allowed bool `json:"allowed"`
	Denied  bool `json:"denied"`
}

const accessReviewPath = "apis/authorization.k8s.io/v1/subjectaccessreviews"

// NewAccessReview returns the AccessReview of o, whose Audiences and Admit it does not use. It
// reads the CA and the token file and opens no connection. The error joins an *OptionError
// for each mistake in o.
func NewAccessReview(o KubernetesOptions) (*AccessReview, error) {
	api, err := newAPIServer(o)
	if err != nil {
		return nil, err
	}
	return &AccessReview{api: api, verdicts: newVerdicts[struct{}](api.options.Now)}, nil
}

// Close closes idle connections to the API server.
func (a *AccessReview) Close() { a.api.close() }

// Authorize is an Authorizer. Any method on a path is the verb get: the gate changes nothing.
// A yes is cached for a minute, a no for ten seconds. Users and groups that begin with system:
// are Kubernetes' own: only a TokenReview, or for a service account the cluster's own issuer,
// can name them. Errors wrap ErrDenied or ErrUnavailable.
func (a *AccessReview) Authorize(r *http.Request, id Identity) error {
	if id.User == "" {
		return fmt.Errorf("%w: no user name for RBAC (a certificate's is its CN); give the client another credential",
			ErrDenied)
	}
	if !mayReview(id) {
		return fmt.Errorf("%w: user %s: Kubernetes reserves this name, and SubjectAccessReview does not take it "+
			"from a credential of method %s; give the client another name", ErrDenied, clip(id.User), id.Method)
	}
	id.Groups = reviewGroups(id)
	path := r.URL.Path
	key := accessKey(id, path)
	_, err, ok := a.verdicts.get(key)
	if ok {
		return err
	}
	_, err = a.calls.do(r.Context(), key, func() error { return nil }, func() (struct{}, error) {
		err := a.ask(id, path)
		a.verdicts.put(key, struct{}{}, time.Time{}, err)
		return struct{}{}, err
	})
	return err
}

// reviewGroups returns the groups of id that a review names. Groups of Kubernetes itself come
// from a TokenReview only: an issuer or a client CA that could put a user into system:masters
// would be above RBAC.
func reviewGroups(id Identity) []string {
	if id.Method == MethodKubernetes || !slices.ContainsFunc(id.Groups, isSystemName) {
		return id.Groups
	}
	return slices.DeleteFunc(slices.Clone(id.Groups), isSystemName)
}

// mayReview reports whether a review may name id's user. Users of Kubernetes itself come from
// a TokenReview, with one exception: a service account in a token of an issuer without prefix,
// which is how the cluster's own issuer is configured. A client certificate never stands for a
// service account or for a component of the cluster.
func mayReview(id Identity) bool {
	switch {
	case id.Method == MethodKubernetes || !isSystemName(id.User):
		return true
	case id.Method == MethodOIDC:
		return isServiceAccount(id.User)
	}
	return false
}

// isSystemName reports whether Kubernetes reserves the name of a user or group for itself.
func isSystemName(name string) bool { return strings.HasPrefix(name, systemPrefix) }

// isServiceAccount reports whether user is system:serviceaccount:NAMESPACE:NAME.
func isServiceAccount(user string) bool {
	account, ok := strings.CutPrefix(user, serviceAccountPrefix)
	namespace, name, both := strings.Cut(account, ":")
	return ok && both && namespace != "" && name != "" && !strings.Contains(name, ":")
}

func newAccessReview(id Identity, path string) accessReview {
	return accessReview{APIVersion: "authorization.k8s.io/v1", Kind: "SubjectAccessReview",
		Spec: accessReviewSpec{Attributes: nonResourceAttributes{Path: path, Verb: "get"},
			User: id.User, UID: id.UID, Groups: id.Groups, Extra: id.Extra}}
}

func (a *AccessReview) ask(id Identity, path string) error {
	in := newAccessReview(id, path)
	var out accessReview
	if err := a.api.review(accessReviewPath, in, &out); err != nil {
		return err
	}
	if out.APIVersion != in.APIVersion || out.Kind != in.Kind {
		return fmt.Errorf("%w: kubernetes API: answer is not a SubjectAccessReview", ErrUnavailable)
	}
	if !out.Status.Allowed || out.Status.Denied {
		return fmt.Errorf("%w: RBAC does not let user %s get %s; "+
			"bind it a ClusterRole with nonResourceURLs: [%q] and verbs: [\"get\"]",
			ErrDenied, clip(id.User), path, path)
	}
	return nil
}

// accessKey digests all that a review says. Every part carries its length, so no
// choice of names makes two questions share an answer.
func accessKey(id Identity, path string) [sha256.Size]byte {
	b := make([]byte, 0, 512)
	part := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	list := func(values []string) {
		b = binary.AppendUvarint(b, uint64(len(values)))
		for _, v := range values {
			part(v)
		}
	}
	part(path)
	part(id.User)
	part(id.UID)
	list(id.Groups)
	for _, key := range slices.Sorted(maps.Keys(id.Extra)) {
		part(key)
		list(id.Extra[key])
	}
	return sha256.Sum256(b)
}

// Probe asks the API server for a SubjectAccessReview of a user that does not exist. It
// returns nil if the API server answers it, and otherwise an error that wraps ErrUnavailable.
func (a *AccessReview) Probe() error {
	probe := Identity{Method: MethodKubernetes, User: "metrics-gate-doctor"}
	return a.api.review(accessReviewPath, newAccessReview(probe, "/metrics"), new(accessReview))
}
