package exposition

import (
	"mime"
	"slices"
	"strconv"
	"strings"
)

// acceptText is the media range that every exporter serves.
const acceptText = typeText + ";version=0.0.4"

// Accept returns the Accept header for the runner: the scraper's media ranges in their order and
// with their weights, without those that cannot be labelled. A wildcard becomes text 0.0.4 after all
// other ranges. If nothing is left the result is "text/plain;version=0.0.4".
//
// Headers that mean the same give the same result, however they are written. Each format occurs
// once, with parameters and weights from fixed sets, so the number of results is finite.
func Accept(header []string) string {
	var names, ranges []string
	wildcard, anything := "", false
	for _, value := range header {
		for part := range splitUnquoted(value) {
			name, weight, ok := acceptable(part)
			switch {
			case !ok || slices.Contains(names, name):
			case name == "":
				wildcard, anything = weight, true
			default:
				names = append(names, name)
				ranges = append(ranges, name+weight)
			}
		}
	}
	switch {
	case len(ranges) == 0:
		return acceptText
	case anything && !slices.Contains(names, acceptText):
		ranges = append(ranges, acceptText+wildcard)
	}
	return strings.Join(ranges, ",")
}

// acceptable returns a media range in normal form, or "" for a wildcard, and its weight (";q=0.5",
// or "" for 1). It is not ok if the range cannot be labelled, is malformed or has weight zero.
func acceptable(part string) (name, weight string, ok bool) {
	media, params, err := mime.ParseMediaType(part)
	if err != nil {
		return "", "", false
	}
	if weight, ok = weightOf(params["q"]); !ok {
		return "", "", false
	}
	if media == "*/*" || media == "text/*" {
		return "", weight, true
	}
	kind, ok := negotiable(media, params)
	if !ok {
		return "", "", false
	}
	if kind == kindProtobuf {
		media += ";proto=" + protoFamily + ";encoding=delimited"
	} else if v := params["version"]; v != "" {
		media += ";version=" + v
	}
	if v := params["escaping"]; isEscaping(v) {
		media += ";escaping=" + v
	}
	return media, weight, true
}

// weightOf returns the parameter q with at most three decimals (RFC 9110, section 12.4.2), or ""
// for 1.
func weightOf(q string) (string, bool) {
	if q == "" {
		return "", true
	}
	f, err := strconv.ParseFloat(q, 64)
	if err != nil || !(f >= 0.001 && f <= 1) {
		return "", false
	}
	if s := strings.TrimRight(strconv.FormatFloat(f, 'f', 3, 64), "0"); s != "1." {
		return ";q=" + s, true
	}
	return "", true
}

// isEscaping reports whether v is an escaping scheme for names that Prometheus knows.
func isEscaping(v string) bool {
	return v == "allow-utf-8" || v == "underscores" || v == "dots" || v == "values"
}

// splitUnquoted yields the parts of s between commas outside quoted strings.
func splitUnquoted(s string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		start, quoted := 0, false
		for i := 0; i < len(s); i++ {
			switch {
			case quoted && s[i] == '\\':
				i++
			case s[i] == '"':
				quoted = !quoted
			case s[i] == ',' && !quoted:
				if !yield(s[start:i]) {
					return
				}
				start = i + 1
			}
		}
		yield(s[start:])
	}
}
