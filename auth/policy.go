package auth

import (
	"errors"
	"fmt"
	"strings"
)

// Policy is a list of patterns that says which identities may pass. The zero
// value allows nobody. It is immutable and safe for concurrent use.
type Policy struct {
	rules  []string          // as written, in order, without twins
	names  map[string]string // exact typed name → rule
	groups map[string]string // group without its type → rule
	uris   []uriPattern
	any    bool
}

// ParsePolicy reads comma-separated patterns: dns:NAME, uri:URI (a * is one
// whole path segment), email:ADDRESS, cn:NAME, token:NAME, user:NAME,
// group:NAME, and a lone * for any authenticated identity. Space around a
// pattern is dropped. An empty list allows nobody; an empty pattern in a list
// is an error. Errors are all patterns' errors, each naming its pattern and
// what to write.
func ParsePolicy(list string) (Policy, error) {
	var p Policy
	if strings.TrimSpace(list) == "" {
		return p, nil
	}
	p.names, p.groups = map[string]string{}, map[string]string{}
	var errs []error
	for rule := range strings.SplitSeq(list, ",") {
		rule = strings.TrimSpace(rule)
		if err := p.add(rule); err != nil {
			errs = append(errs, fmt.Errorf("pattern %q: %w", rule, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Policy{}, err
	}
	return p, nil
}

func (p *Policy) add(rule string) error {
	if err := checkPattern(rule); err != nil {
		return err
	}
	kind, value, _ := strings.Cut(rule, ":")
	switch {
	case p.has(rule):
		return nil
	case rule == "*":
		p.any = true
	case kind == "group":
		p.groups[value] = rule
	case kind == "uri" && strings.Contains(value, "*"):
		p.uris = append(p.uris, newURIPattern(rule))
	default:
		p.names[rule] = rule
	}
	p.rules = append(p.rules, rule)
	return nil
}

func (p *Policy) has(rule string) bool {
	for _, r := range p.rules {
		if r == rule {
			return true
		}
	}
	return false
}

// Allows reports whether p lets id pass, and by which of its patterns. Exact
// names decide before uri: patterns with a *, these before groups, and a lone
// * last. Groups are those of OIDC and Kubernetes identities: nobody but its
// own CA vouches for a certificate's organizations.
func (p Policy) Allows(id Identity) (rule string, ok bool) {
	if id.Method == "" || id.Method == MethodNone {
		return "", false
	}
	for _, name := range id.Names {
		if rule, ok := p.names[name]; ok {
			return rule, true
		}
	}
	for i := range p.uris {
		for _, name := range id.Names {
			if p.uris[i].matches(name) {
				return p.uris[i].rule, true
			}
		}
	}
	for _, group := range id.policyGroups() {
		if rule, ok := p.groups[group]; ok {
			return rule, true
		}
	}
	if p.any {
		return "*", true
	}
	return "", false
}

// policyGroups returns the groups that a group: pattern may match.
func (i Identity) policyGroups() []string {
	if i.Method == MethodOIDC || i.Method == MethodKubernetes {
		return i.Groups
	}
	return nil
}

// Empty reports whether p allows nobody.
func (p Policy) Empty() bool { return len(p.rules) == 0 }

// Any reports whether p has a lone *, which lets any authenticated identity pass.
func (p Policy) Any() bool { return p.any }

// Rules returns p's patterns in the order they were written.
func (p Policy) Rules() []string { return append([]string(nil), p.rules...) }

// String returns p as ParsePolicy reads it.
func (p Policy) String() string { return strings.Join(p.rules, ",") }
