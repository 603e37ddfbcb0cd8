package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Policy is a list of patterns that says which identities may pass. The zero value allows
// nobody. It is immutable and safe for concurrent use.
type Policy struct {
	rules  []string          // the patterns in order, without quotes, each once
	names  map[string]string // exact typed name, dns: in lower case → rule
	groups map[string]string // group without its kind → rule
	uris   []uriPattern
	any    bool
}

// PatternError says what is wrong with one pattern of a list, and what to write.
type PatternError struct {
	Pattern string // as written
	Err     error
}

// Error is `pattern "<pattern>": <what is wrong>; <what to write>`.
func (e *PatternError) Error() string { return fmt.Sprintf("pattern %q: %v", e.Pattern, e.Err) }

// Unwrap returns e.Err.
func (e *PatternError) Unwrap() error { return e.Err }

// ParsePolicy reads comma-separated patterns: dns:NAME, uri:URI (a * is one whole path
// segment), email:ADDRESS, cn:NAME, token:NAME, user:NAME, group:NAME, or a lone * for any
// authenticated identity. Space around a pattern is dropped. A pattern in double quotes can
// hold commas; in it \" stands for a quote and \\ for a backslash. An empty list allows
// nobody. An empty pattern, a pattern that no credential can match and a * with other
// patterns are errors. The error joins a *PatternError for each bad pattern.
func ParsePolicy(list string) (Policy, error) {
	var p Policy
	if strings.TrimSpace(list) == "" {
		return p, nil
	}
	p.names, p.groups = map[string]string{}, map[string]string{}
	var errs []error
	for _, e := range splitList(list) {
		err := e.err
		if err == nil {
			err = p.add(e)
		}
		if err != nil {
			errs = append(errs, &PatternError{e.text, err})
		}
	}
	if p.any && len(p.rules) > 1 {
		err := errors.New("it allows every authenticated identity; remove it, or remove all other patterns")
		errs = append(errs, &PatternError{"*", err})
	}
	if len(errs) > 0 {
		return Policy{}, errors.Join(errs...)
	}
	return p, nil
}

func (p *Policy) add(e element) error {
	rule := e.text
	if err := checkPattern(e); err != nil {
		return err
	}
	kind, value, _ := strings.Cut(rule, ":")
	name := rule
	if kind == KindDNS {
		name = strings.ToLower(rule)
	}
	if _, twice := p.names[name]; twice || slices.Contains(p.rules, rule) {
		return nil
	}
	switch {
	case rule == "*":
		p.any = true
	case kind == KindGroup:
		p.groups[value] = rule
	case kind == KindURI && strings.Contains(value, "*"):
		p.uris = append(p.uris, newURIPattern(rule))
	default:
		p.names[name] = rule
	}
	p.rules = append(p.rules, rule)
	return nil
}

// UnmarshalText implements encoding.TextUnmarshaler by ParsePolicy, so that a field of a
// configuration can be a Policy. On an error p is empty and allows nobody.
func (p *Policy) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePolicy(string(text))
	return err
}

// Allows reports whether p lets id pass, and by which of its patterns. Exact names decide
// before uri: patterns with a *, these before groups. DNS names are compared without case,
// all else byte for byte. group: matches groups of OIDC and Kubernetes only, not the
// organizations of a certificate.
func (p Policy) Allows(id Identity) (rule string, ok bool) {
	if id.Method == "" || id.Method == MethodNone {
		return "", false
	}
	for _, name := range id.Names {
		if rule, ok := p.names[foldDNS(name)]; ok {
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

// Rules returns p's patterns in the order they were written, without quotes.
func (p Policy) Rules() []string { return slices.Clone(p.rules) }

// String returns p as ParsePolicy reads it.
func (p Policy) String() string {
	quoted := make([]string, len(p.rules))
	for i, rule := range p.rules {
		quoted[i] = quoteRule(rule)
	}
	return strings.Join(quoted, ",")
}

// quoteRule returns a pattern as ParsePolicy reads it, in quotes only if it needs them.
func quoteRule(rule string) string {
	if checkPattern(element{text: rule}) != nil {
		return inQuotes(rule)
	}
	return quoteElement(rule)
}

// foldDNS returns a dns: name in lower case, and any other name as it is.
func foldDNS(name string) string {
	if strings.HasPrefix(name, KindDNS+":") {
		return strings.ToLower(name)
	}
	return name
}
