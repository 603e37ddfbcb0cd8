package auth

import "slices"

// Methods of authentication: the values of Identity.Method and of the metric label "method".
const (
	MethodCertificate = "certificate"
	MethodToken       = "token"
	MethodOIDC        = "oidc"
	MethodKubernetes  = "kubernetes"
	MethodNone        = "none" // no credential, or one that no method accepts
)

// Kinds of patterns in an allow list: what stands before the first colon.
const (
	KindDNS   = "dns"
	KindURI   = "uri"
	KindEmail = "email"
	KindCN    = "cn"
	KindToken = "token"
	KindUser  = "user"
	KindGroup = "group"
)

// MethodInfo describes a method of authentication.
type MethodInfo struct {
	Name   string   // a Method constant
	Title  string   // for people, as in "static token"
	Kinds  []string // kinds of patterns that its identities can match
	Bearer bool     // presented as a bearer token in the Authorization header
	// Minted: CI jobs and pods can obtain such a credential for themselves, so a lone * in
	// an allow list would let all of them in.
	Minted bool
}

// Methods returns all methods of authentication, but not MethodNone.
func Methods() []MethodInfo {
	return []MethodInfo{
		{Name: MethodCertificate, Title: "client certificate", Kinds: []string{KindDNS, KindURI, KindEmail, KindCN}},
		{Name: MethodToken, Title: "static token", Kinds: []string{KindToken}, Bearer: true},
		{
			Name:   MethodOIDC,
			Title:  "OpenID Connect token",
			Kinds:  []string{KindUser, KindGroup},
			Bearer: true,
			Minted: true,
		},
		{
			Name:   MethodKubernetes,
			Title:  "Kubernetes TokenReview",
			Kinds:  []string{KindUser, KindGroup},
			Bearer: true,
			Minted: true,
		},
	}
}

// KindInfo describes a kind of pattern.
type KindInfo struct {
	Name    string // a Kind constant
	Title   string // for people: what the pattern is compared with
	Example string // a whole pattern
}

// Kinds returns all kinds of patterns, in the order in which help shows them.
func Kinds() []KindInfo {
	return []KindInfo{
		{KindDNS, "DNS name of a client certificate", "dns:prometheus.example"},
		{KindURI, "URI of a client certificate; * is one whole path segment",
			"uri:spiffe://example.org/ns/monitoring/sa/prometheus"},
		{KindEmail, "email address of a client certificate", "email:prometheus@example.org"},
		{KindCN, "common name of a client certificate", "cn:prometheus"},
		{KindToken, "name of a static token", "token:prometheus"},
		{
			KindUser,
			"user name of OpenID Connect or Kubernetes",
			"user:system:serviceaccount:monitoring:prometheus-k8s",
		},
		{KindGroup, "group of OpenID Connect or Kubernetes", "group:prometheus"},
	}
}

// MethodsOf returns the methods whose identities can match a pattern of kind.
func MethodsOf(kind string) []MethodInfo {
	return slices.DeleteFunc(Methods(), func(m MethodInfo) bool { return !slices.Contains(m.Kinds, kind) })
}

// isKind reports whether name is a kind of pattern.
func isKind(name string) bool {
	return slices.ContainsFunc(Kinds(), func(k KindInfo) bool { return k.Name == name })
}

// kindPrefixes returns what patterns may begin with, as in "dns: uri: …".
func kindPrefixes() string {
	var list string
	for _, kind := range Kinds() {
		list += " " + kind.Name + ":"
	}
	return list[1:]
}
