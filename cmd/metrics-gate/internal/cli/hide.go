package cli

import (
	"errors"
	"net/url"
	"regexp"
	"strings"

	"github.com/metrics-gate/metrics-gate/auth"
)

// HideToken hides a value that is a token of "metrics-gate token", given in the place of something
// else, such as the name of a file.
func HideToken(value string) string {
	if strings.HasPrefix(value, auth.TokenPrefix) {
		return auth.TokenPrefix + "…"
	}
	return value
}

// HideTokens hides each whole token of "metrics-gate token" in a text, such as that of an error which
// quotes a part of a value.
func HideTokens(text string) string {
	return regexp.MustCompile(auth.TokenPrefix+`[\w-]{43}`).ReplaceAllString(text, auth.TokenPrefix+"…")
}

// HideSecrets hides what stands before the @ of a URL, which may be a password, and a token in the
// place of something else.
func HideSecrets(raw string) string {
	raw = HideToken(raw)
	if i := strings.LastIndex(raw, "@"); i >= 0 {
		return "…" + raw[i:]
	}
	return raw
}

// HideURL is raw for an error, without what may be secret in a URL: user and password, a token in
// the place of the host, the query.
func HideURL(raw string) string {
	u, err := url.Parse(raw)
	clean := err == nil && u.User == nil && u.Host != ""
	if query := strings.IndexAny(raw, "?#&"); query >= 0 {
		if !clean && strings.LastIndex(raw, "@") > query { // of a password or of a query
			return "…"
		}
		raw = raw[:query] + "?…"
	}
	if !clean || strings.Contains(u.Host, ":") { // user:12/34@host reads as host user, port 12
		raw = HideSecrets(raw)
	}
	if scheme, rest, isURL := strings.Cut(raw, "://"); isURL {
		return scheme + "://" + HideToken(rest)
	}
	return raw
}

// HideErrorURL hides the same in the URL of an error of net/http, which it changes.
func HideErrorURL(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		failed.URL = HideURL(failed.URL)
	}
	return err
}
