package auth

import (
	"slices"
	"testing"
)

func identity(method string, names ...string) Identity {
	return Identity{Method: method, Subject: "test", Names: names}
}

func TestPolicyAllows(t *testing.T) {
	spiffe := identity(MethodCertificate, "uri:spiffe://example.org/ns/monitoring/sa/prometheus", "cn:prometheus")
	host := identity(MethodCertificate, "dns:prometheus.example", "cn:prometheus.example")
	token := identity(MethodToken, "token:prometheus")
	job := Identity{
		Method: MethodOIDC,
		Names:  []string{"user:project_path:group/project:ref_type:branch:ref:main"},
		Groups: []string{"readers"},
	}
	pod := identity(MethodKubernetes, "user:system:serviceaccount:monitoring:prometheus-k8s")
	pod.Groups = []string{"system:serviceaccounts"}
	organization := Identity{Method: MethodCertificate, Names: []string{"cn:x"}, Groups: []string{"readers"}}
	for _, test := range []struct {
		name, list string
		id         Identity
		rule       string // empty: refused
	}{
		{"empty list", "", host, ""},
		{"exact name", "dns:prometheus.example", host, "dns:prometheus.example"},
		{"second of two", "token:x, dns:prometheus.example", host, "dns:prometheus.example"},
		{"any name of the leaf", "cn:prometheus", spiffe, "cn:prometheus"},
		{"another type", "cn:prometheus.example", identity(MethodCertificate, "dns:prometheus.example"), ""},
		{"a type as a name", "dns:prometheus.example", identity(MethodCertificate, "cn:dns:prometheus.example"), ""},
		{"longer name", "dns:prometheus.example", identity(MethodCertificate, "dns:prometheus.example.evil"), ""},
		{"another case of a DNS name", "dns:prometheus.example", identity(MethodCertificate,
			"dns:Prometheus.example"), "dns:prometheus.example"},
		{"another case in the list", "dns:PROMETHEUS.example", host, "dns:PROMETHEUS.example"},
		{"another case of an email address", "email:a@example.org", identity(MethodCertificate,
			"email:A@example.org"), ""},
		{"another case of a common name", "cn:Prometheus", identity(MethodCertificate, "cn:prometheus"), ""},
		{"another case of a group", "group:Readers", job, ""},
		{"segment", "uri:spiffe://example.org/ns/*/sa/prometheus", spiffe,
			"uri:spiffe://example.org/ns/*/sa/prometheus"},
		{"exact before segment", "uri:spiffe://example.org/ns/*/sa/prometheus,cn:prometheus", spiffe, "cn:prometheus"},
		{"static token", "token:prometheus", token, "token:prometheus"},
		{"token named like a user", "user:prometheus", token, ""},
		{"user", "user:project_path:group/project:ref_type:branch:ref:main", job,
			"user:project_path:group/project:ref_type:branch:ref:main"},
		{"user's other branch", "user:project_path:group/project:ref_type:branch:ref:mai", job, ""},
		{"group of OIDC", "group:readers", job, "group:readers"},
		{"group of Kubernetes", "group:system:serviceaccounts", pod, "group:system:serviceaccounts"},
		{"group is no user", "user:readers", job, ""},
		{"organization is no group", "group:readers", organization, ""},
		{"lone star", "*", organization, "*"},
		{"nobody at all", "*", Identity{}, ""},
		{"method none", "*", Identity{Method: MethodNone}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := ParsePolicy(test.list)
			if err != nil {
				t.Fatal(err)
			}
			rule, ok := p.Allows(test.id)
			if rule != test.rule || ok != (test.rule != "") {
				t.Fatalf("Allows = %q, %v; want %q", rule, ok, test.rule)
			}
		})
	}
}

func TestPolicyZeroValueAllowsNobody(t *testing.T) {
	var p Policy
	for _, method := range []string{MethodCertificate, MethodToken, MethodOIDC, MethodKubernetes, MethodNone, ""} {
		id := Identity{Method: method, Names: []string{"", "*", "cn:*"}, Groups: []string{"", "*"}}
		if rule, ok := p.Allows(id); ok {
			t.Errorf("method %q passes by %q", method, rule)
		}
	}
	if !p.Empty() || p.Any() || p.String() != "" || len(p.Rules()) != 0 {
		t.Errorf("zero value: Empty %v, Any %v, String %q", p.Empty(), p.Any(), p)
	}
}

func TestPolicyDescribesItself(t *testing.T) {
	p, err := ParsePolicy(" dns:a ,token:b,dns:A,\"group:c,d\" , group:c ")
	if err != nil {
		t.Fatal(err)
	}
	if want := `dns:a,token:b,"group:c,d",group:c`; p.String() != want || p.Empty() || p.Any() {
		t.Fatalf("String %q, Empty %v, Any %v; want %q, false, false", p, p.Empty(), p.Any(), want)
	}
	rules := p.Rules()
	rules[0] = "changed"
	if slices.Contains(p.Rules(), "changed") {
		t.Fatal("Rules hands out the policy's own memory")
	}
	if p, err := ParsePolicy("cn:*,dns:a"); err == nil || !p.Empty() {
		t.Fatalf("a list with a bad pattern yields %v, %v", p, err)
	}
}
