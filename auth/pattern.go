package auth

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// systemPrefix begins the names that Kubernetes reserves for itself, serviceAccountPrefix the
// user names of its service accounts.
const (
	systemPrefix         = "system:"
	serviceAccountPrefix = systemPrefix + "serviceaccount:"
)

// checkPattern says what is wrong with a pattern and what to write.
func checkPattern(e element) error {
	rule := e.text
	switch {
	case rule == "":
		return errors.New("nothing between two commas; remove one")
	case rule == "*":
		return nil
	case !utf8.ValidString(rule) || strings.ContainsFunc(rule, unicode.IsControl):
		if err := checkSeparators(e); err != nil { // a line break, say
			return err
		}
		return errors.New("has control characters or is not UTF-8; write the name as it is in the credential")
	}
	kind, value, ok := strings.Cut(rule, ":")
	if !ok || !isKind(kind) {
		return unknownKind(rule, kind, ok)
	}
	if err := checkSeparators(e); err != nil {
		return err
	}
	switch {
	case value == "":
		return fmt.Errorf("no name after %s:; write one, as in %s", kind, example(kind))
	case strings.TrimSpace(value) != value:
		return fmt.Errorf("space after %s:; write %s:%s", kind, kind, strings.TrimSpace(value))
	case kind == KindURI:
		return checkURIPattern(value)
	case strings.Contains(value, "*"):
		return fmt.Errorf("a * stands for a path segment in uri: only; write out each %s name", kind)
	}
	return checkValue(kind, value)
}

// checkSeparators finds a list of patterns that was taken for one.
func checkSeparators(e element) error {
	separators := ";| \t\r\n" // in the place of commas
	if e.quoted {
		separators = "," // quotes around a whole list, as docker --env-file and Kubernetes keep them
	}
	for i, c := range e.text {
		if !strings.ContainsRune(separators, c) {
			continue
		}
		next, _, ok := strings.Cut(strings.TrimLeft(e.text[i:], separators+" "), ":")
		switch {
		case !ok || !isKind(next):
		case e.quoted:
			return errors.New("quotes around several patterns; write the list without them")
		default:
			return fmt.Errorf("%q between two patterns; write a comma there", c)
		}
	}
	return nil
}

func unknownKind(rule, kind string, typed bool) error {
	lower := strings.ToLower(kind)
	switch {
	case strings.ContainsAny(rule, "\"'"): // docker --env-file and Kubernetes take quotes literally
		return errors.New("has quotes in it; write it without them")
	case typed && isKind(lower):
		return fmt.Errorf("unknown type %s:; write %s: in lower case", kind, lower)
	case strings.Contains(rule, "://"):
		return fmt.Errorf("no type; write uri:%s", rule)
	case strings.HasPrefix(rule, systemPrefix):
		return fmt.Errorf("no type; write user:%s or group:%s", rule, rule)
	case typed:
		return fmt.Errorf("unknown type %s:; write one of %s, or a lone *", kind, kindPrefixes())
	case strings.Contains(rule, "*"):
		return errors.New(
			"a * inside a name has no meaning; write out the names, or a lone * for any authenticated identity",
		)
	case strings.ContainsAny(rule, "; |"):
		return errors.New("no type; write one before each pattern and a comma between them, as in " +
			"dns:a.example,dns:b.example")
	case strings.Contains(rule, "@"):
		return fmt.Errorf("no type; write email:%s or user:%s", rule, rule)
	}
	return fmt.Errorf(
		"no type; write dns:%s for a DNS name of the certificate, cn:%s for its common name if it has no "+
			"other name, or another of %s",
		rule,
		rule,
		kindPrefixes(),
	)
}

func checkValue(kind, value string) error {
	switch kind {
	case KindDNS:
		return checkDNSPattern(value)
	case KindEmail:
		return checkEmailPattern(value)
	case KindToken:
		if err := checkTokenName(value); err != nil {
			return fmt.Errorf("%w; write the name before sha256: in the tokens file", err)
		}
	}
	return nil
}

func checkDNSPattern(value string) error {
	if !isASCII(value) {
		return errors.New(
			"no certificate has it: DNS names are ASCII there; write its A-label, as in dns:xn--bcher-kva.example",
		)
	}
	if strings.ContainsAny(value, "; |") {
		return errors.New("a space, ; or | in a DNS name; write a comma and a type before a further pattern, as in " +
			"dns:a.example,dns:b.example")
	}
	if strings.ContainsAny(value, "/:@,") {
		return errors.New("not a DNS name; write the subject alternative name alone, as in dns:prometheus.example")
	}
	if strings.HasSuffix(value, ".") {
		return fmt.Errorf("no certificate has it: DNS names have no dot at their end there; write dns:%s",
			strings.TrimRight(value, "."))
	}
	return nil
}

// checkEmailPattern follows RFC 5280 section 4.2.1.6: an rfc822Name is ASCII.
func checkEmailPattern(value string) error {
	local, domain, ok := strings.Cut(value, "@")
	if !ok || strings.Contains(domain, "@") || local == "" || domain == "" {
		return errors.New("not an address; write one, as in email:prometheus@example.org")
	}
	if !isASCII(local) {
		return errors.New(
			"no certificate has it: email addresses are ASCII there; write another name of the certificate",
		)
	}
	if !isASCII(domain) {
		return errors.New(
			"no certificate has it: domains are ASCII there; " +
				"write the domain's A-label, as in email:a@xn--bcher-kva.example",
		)
	}
	return nil
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// example returns a whole pattern of kind.
func example(kind string) string {
	for _, k := range Kinds() {
		if k.Name == kind {
			return k.Example
		}
	}
	return ""
}
