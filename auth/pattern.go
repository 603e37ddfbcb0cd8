package auth

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// patternTypes are the types that a pattern may begin with, in the order help
// names them.
const patternTypes = "dns: uri: email: cn: token: user: group:"

// checkPattern says what is wrong with a pattern and what to write.
func checkPattern(rule string) error {
	if rule == "" {
		return errors.New("nothing between two commas; remove one")
	}
	if rule == "*" {
		return nil
	}
	if !utf8.ValidString(rule) || strings.ContainsFunc(rule, unicode.IsControl) {
		return errors.New("has control characters or is not UTF-8; write the name as it is in the credential")
	}
	kind, value, ok := strings.Cut(rule, ":")
	if known := slices.Contains(strings.Fields(patternTypes), kind+":"); !ok || !known {
		return unknownType(rule, kind, ok)
	}
	if value == "" {
		return fmt.Errorf("no name after %s:; write one, as in %s", kind, example(kind))
	}
	if strings.TrimSpace(value) != value {
		return fmt.Errorf("space after %s:; write %s:%s", kind, kind, strings.TrimSpace(value))
	}
	if kind == "uri" {
		return checkURIPattern(value)
	}
	if strings.Contains(value, "*") {
		return fmt.Errorf("a * stands for a path segment in uri: only; write out each %s name", kind)
	}
	return checkValue(kind, value)
}

func unknownType(rule, kind string, typed bool) error {
	lower := strings.ToLower(kind)
	switch {
	case strings.ContainsAny(rule, "\"'"): // docker --env-file and Kubernetes take quotes literally
		return errors.New("has quotes in it; write it without them")
	case typed && slices.Contains(strings.Fields(patternTypes), lower+":"):
		return fmt.Errorf("unknown type %s:; write %s: in lower case", kind, lower)
	case strings.Contains(rule, "://"):
		return fmt.Errorf("no type; write uri:%s", rule)
	case strings.HasPrefix(rule, "system:"):
		return fmt.Errorf("no type; write user:%s or group:%s", rule, rule)
	case typed:
		return fmt.Errorf("unknown type %s:; write one of %s, or a lone *", kind, patternTypes)
	case strings.Contains(rule, "*"):
		return errors.New("a * inside a name has no meaning; write out the names, or a lone * for any authenticated identity")
	case strings.Contains(rule, "@"):
		return fmt.Errorf("no type; write email:%s or user:%s", rule, rule)
	}
	return fmt.Errorf("no type; write dns:%s, or another of %s", rule, patternTypes)
}

func checkValue(kind, value string) error {
	switch kind {
	case "dns":
		if strings.ContainsAny(value, " /:@") {
			return errors.New("not a DNS name; write the subject alternative name alone, as in dns:prometheus.example")
		}
	case "email":
		if strings.Count(value, "@") != 1 {
			return errors.New("not an address; write one, as in email:prometheus@example.org")
		}
	case "token":
		if err := checkTokenName(value); err != nil {
			return fmt.Errorf("%w; write the name before sha256: in the tokens file", err)
		}
	}
	return nil
}

func example(kind string) string {
	switch kind {
	case "dns":
		return "dns:prometheus.example"
	case "uri":
		return "uri:spiffe://example.org/ns/monitoring/sa/prometheus"
	case "email":
		return "email:prometheus@example.org"
	case "user":
		return "user:system:serviceaccount:monitoring:prometheus-k8s"
	}
	return kind + ":prometheus"
}

// checkURIPattern refuses what no certificate's URI could equal, and a * that
// is not a whole path segment.
func checkURIPattern(value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Scheme == "" {
		return fmt.Errorf("not a URI with a scheme; write it as in %s", example("uri"))
	}
	if normal := u.String(); normal != value {
		return fmt.Errorf("never equal to a certificate's URI; write uri:%s", normal)
	}
	if !strings.Contains(value, "*") {
		return nil
	}
	head, path := splitURI(value)
	if path == "" || strings.Contains(head, "*") {
		return errors.New("a * stands for a path segment only; write out what is before the path")
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment != "*" && strings.Contains(segment, "*") {
			return fmt.Errorf("segment %q is more than a *; write / before and after the *", segment)
		}
	}
	if strings.ContainsAny(path, "?#") {
		return errors.New("a * beside a query or fragment; write the URI out")
	}
	return nil
}

// splitURI parts scheme and authority from the path; without an authority the
// path is empty.
func splitURI(uri string) (head, path string) {
	start := strings.Index(uri, "://")
	if start < 0 {
		return uri, ""
	}
	start += len("://")
	slash := strings.IndexByte(uri[start:], '/')
	if slash < 0 {
		return uri, ""
	}
	return uri[:start+slash], uri[start+slash:]
}

// uriPattern is a uri: pattern in which some path segments may be anything.
type uriPattern struct {
	rule  string
	parts []string // what stands between the *s, "uri:" included
}

func newURIPattern(rule string) uriPattern {
	return uriPattern{rule: rule, parts: strings.Split(rule, "*")}
}

// matches reports whether the typed name is p with each * replaced by one
// whole segment. Since each * has a / or the end behind it, the first / ends
// it and there is nothing to try twice.
func (p *uriPattern) matches(name string) bool {
	rest, ok := strings.CutPrefix(name, p.parts[0])
	for _, part := range p.parts[1:] {
		if !ok {
			return false
		}
		end := strings.IndexByte(rest, '/')
		if end < 0 {
			end = len(rest)
		}
		if !wholeSegment(rest[:end]) {
			return false
		}
		if part == "" {
			return end == len(rest)
		}
		rest, ok = strings.CutPrefix(rest[end:], part)
	}
	return ok && rest == ""
}

// wholeSegment reports whether s can stand for one path segment and nothing
// else: not empty, no dots that climb, nothing encoded, no query or fragment.
func wholeSegment(s string) bool {
	return s != "" && s != "." && s != ".." && !strings.ContainsAny(s, "?#%")
}
