package auth

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// checkURIPattern refuses what no certificate's URI could equal, and a * that is not a whole
// path segment.
func checkURIPattern(value string) error {
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Scheme == "":
		return fmt.Errorf("not a URI with a scheme; write it as in %s", example(KindURI))
	case !isASCII(value):
		return errors.New(
			"no certificate has it: URIs are ASCII there; " +
				"write the host's A-label, and escape the path (RFC 3987 section 3.1)",
		)
	case isSPIFFE(value):
		if normal := spiffeID(u); normal != value {
			return fmt.Errorf(
				"not a SPIFFE ID, which has a lower case scheme and trust domain and a plain path; write uri:%s",
				normal,
			)
		}
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
		return errors.New("a * with a query or fragment; write the URI out")
	}
	return nil
}

// isSPIFFE reports whether uri has the scheme of a SPIFFE ID, in any case.
func isSPIFFE(uri string) bool {
	const scheme = "spiffe:"
	return len(uri) >= len(scheme) && strings.EqualFold(uri[:len(scheme)], scheme)
}

// spiffeID returns the SPIFFE ID nearest to u (SPIFFE ID section 2).
func spiffeID(u *url.URL) string {
	return "spiffe://" + strings.ToLower(u.Hostname()) + u.EscapedPath()
}

// splitURI cuts a URI before its path; without an authority the path is empty.
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
	parts []string // the text between the *s, with "uri:"
}

func newURIPattern(rule string) uriPattern {
	return uriPattern{rule: rule, parts: strings.Split(rule, "*")}
}

// matches reports whether the typed name is p with each * replaced by one whole segment. A *
// is followed by a / or the end, so the next / ends its segment and no backtracking is needed.
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

// wholeSegment reports whether s is one path segment and nothing else: not empty, no dot
// segment, no escape, no query or fragment.
func wholeSegment(s string) bool {
	return s != "" && s != "." && s != ".." && !strings.ContainsAny(s, "?#%")
}
