package auth

import (
	"strings"
	"testing"
)

func TestPatternErrors(t *testing.T) {
	for _, test := range []struct{ pattern, want string }{
		{"prometheus.example", "write dns:prometheus.example for a DNS name"},
		{"prometheus.example", "cn:prometheus.example for its common name"},
		{"DNS:prometheus.example", "write dns:"},
		{`"dns:prometheus.example"`, ""},
		{`'prometheus.example'`, "without them"},
		{"san:prometheus.example", "unknown type san:"},
		{"prometheus@example.org", "write email:prometheus@example.org or user:"},
		{"spiffe://example.org/x", "write uri:spiffe://example.org/x"},
		{"system:serviceaccount:a:b", "write user:system:serviceaccount:a:b"},
		{"dns:", "as in dns:prometheus.example"},
		{"cn:", "as in cn:prometheus"},
		{"user:", "as in user:system:serviceaccount"},
		{"dns: a", "write dns:a"},
		{"dns:*.example", "uri: only"},
		{"user:*", "uri: only"},
		{"token:*", "uri: only"},
		{"**", "write out the names"},
		{"prometheus*", "write out the names"},
		{"dns:a:443", "alternative name alone"},
		{"dns:https://a", "alternative name alone"},
		{"email:nobody", "not an address"},
		{"token:a b", "letters, digits"},
		{"uri:prometheus", "not a URI"},
		{"uri:SPIFFE://example.org/x", "write uri:spiffe://example.org/x"},
		{"uri:spiffe://*/ns", "before the path"},
		{"uri:spiffe://example.org", ""},
		{"uri:urn:*", "before the path"},
		{"uri:*", "not a URI"},
		{"uri:spiffe://example.org/ns/a*", "more than a *"},
		{"uri:spiffe://example.org/**", "more than a *"},
		{"uri:https://example.org/*?a=b", "more than a *"},
		{"uri:https://example.org/*/x?a=b", "query or fragment"},
		{"cn:a\nb", "control characters"},
		{"cn:\xff", "not UTF-8"},
		{"cn:Prometheus Server", ""},
		{"group:a b", ""},
		{"*", ""},
		{"uri:https://example.org/*/x/*", ""},
		{"uri:urn:example:prometheus", ""},
		{"token:team/prom-1.a_b@c+d:e", ""},
	} {
		_, err := ParsePolicy(test.pattern)
		if test.want == "" {
			if err != nil {
				t.Errorf("%q: %v", test.pattern, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v; want %q", test.pattern, err, test.want)
		}
	}
}

func TestPatternErrorsAllAtOnce(t *testing.T) {
	_, err := ParsePolicy("dns:a,,nothing,cn:*,")
	if err == nil {
		t.Fatal("accepted")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[1], `pattern "nothing": `) {
		t.Fatalf("errors:\n%v\nwant four, each naming its pattern", err)
	}
}

func TestURIPattern(t *testing.T) {
	for _, test := range []struct {
		pattern, uri string
		want         bool
	}{
		{"uri:spiffe://e/ns/*/sa/p", "uri:spiffe://e/ns/a/sa/p", true},
		{"uri:spiffe://e/ns/*/sa/p", "uri:spiffe://e/ns/*/sa/p", true},
		{"uri:spiffe://e/ns/*/sa/p", "uri:spiffe://e/ns//sa/p", false},
		{"uri:spiffe://e/ns/*/sa/p", "uri:spiffe://e/ns/a/b/sa/p", false},
		{"uri:spiffe://e/ns/*/sa/p", "uri:spiffe://e/ns/a/sa/p/x", false},
		{"uri:spiffe://e/ns/*/sa/p", "uri:spiffe://e/ns/a/sa/px", false},
		{"uri:spiffe://e/ns/*/sa/p", "uri:spiffe://e/ns/a", false},
		{"uri:spiffe://e/ns/*/sa/p", "uri:spiffe://x/ns/a/sa/p", false},
		{"uri:spiffe://e/ns/*/sa/p", "uri:spiffe://e/ns/../sa/p", false},
		{"uri:spiffe://e/ns/*/sa/p", "uri:spiffe://e/ns/./sa/p", false},
		{"uri:spiffe://e/ns/*/sa/p", "uri:spiffe://e/ns/a%2Fb/sa/p", false},
		{"uri:spiffe://e/ns/*/sa/p", "uri:spiffe://e/ns/a?/sa/p", false},
		{"uri:spiffe://e/ns/*/sa/p", "uri:spiffe://e/ns/a#/sa/p", false},
		{"uri:spiffe://e/ns/*/sa/p", "dns:spiffe://e/ns/a/sa/p", false},
		{"uri:spiffe://e/ns/*", "uri:spiffe://e/ns/a", true},
		{"uri:spiffe://e/ns/*", "uri:spiffe://e/ns/", false},
		{"uri:spiffe://e/ns/*", "uri:spiffe://e/ns", false},
		{"uri:spiffe://e/ns/*", "uri:spiffe://e/ns/a/", false},
		{"uri:spiffe://e/ns/*", "uri:spiffe://e/ns/a/b", false},
		{"uri:spiffe://e/*/*", "uri:spiffe://e/a/b", true},
		{"uri:spiffe://e/*/*", "uri:spiffe://e/a", false},
		{"uri:spiffe://e/*/x/*/y", "uri:spiffe://e/x/x/y/y", true},
		{"uri:spiffe://e/*/x/*/y", "uri:spiffe://e/x/y/x/y", false},
	} {
		p := newURIPattern(test.pattern)
		if got := p.matches(test.uri); got != test.want {
			t.Errorf("%s matches %s: %v", test.pattern, test.uri, got)
		}
	}
}

// FuzzPattern states three laws: an accepted list is read back as it was; an exact pattern
// matches its own name only, a dns: one without case; a * in a uri: pattern is exactly one
// segment.
func FuzzPattern(f *testing.F) {
	f.Add("dns:prometheus.example", "dns:prometheus.example")
	f.Add("uri:spiffe://example.org/ns/*/sa/p", "uri:spiffe://example.org/ns/a/b/sa/p")
	f.Add("uri:spiffe://example.org/ns/*", "uri:spiffe://example.org/ns/%2e")
	f.Add("token:a,*", "cn:a")
	f.Fuzz(func(t *testing.T, list, name string) {
		p, err := ParsePolicy(list)
		if err != nil {
			if !p.Empty() {
				t.Fatalf("%q is an error and allows %v", list, p)
			}
			return
		}
		again, err := ParsePolicy(p.String())
		if err != nil || again.String() != p.String() {
			t.Fatalf("%q is read back as %q, %v", p, again, err)
		}
		rule, ok := p.Allows(identity(MethodCertificate, name))
		if !ok || rule == "*" || foldDNS(rule) == foldDNS(name) {
			return
		}
		if !strings.HasPrefix(rule, "uri:") ||
			strings.Count(rule, "/") != strings.Count(
				name,
				"/",
			) || strings.Count(rule, "%") != strings.Count(name, "%") {
			t.Fatalf("%q let %q pass", rule, name)
		}
	})
}
