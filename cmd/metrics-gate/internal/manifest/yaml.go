package manifest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// quote is s as a YAML string: plain where nothing else can be read in it, else as JSON,
// which is YAML. JSON leaves characters that end a line in YAML 1.1 (U+0085), or that YAML does not
// allow: they are escaped.
func quote(s string) string {
	plain := regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9/._:@-]*[A-Za-z0-9/]$`)
	word := regexp.MustCompile(`^(?i:true|false|yes|no|on|off|null)$`)
	if plain.MatchString(s) && !word.MatchString(s) {
		return s
	}
	text, _ := json.Marshal(s) // every string has a JSON form
	var b strings.Builder
	for _, r := range string(text) {
		if unicode.IsControl(r) || r == 0xfeff || r == 0xfffe || r == 0xffff {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// list is a YAML list on one line.
func list(items []string) string {
	quoted := make([]string, len(items))
	for i, item := range items {
		quoted[i] = quote(item)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// labels is the inside of a YAML map, a line each.
func labels(set pairs) string {
	var b strings.Builder
	for _, l := range set {
		b.WriteString(quote(l.Name) + ": " + quote(l.Value) + "\n")
	}
	return b.String()
}

// identifier is a label's name as service discovery writes it in a meta label.
func identifier(name string) string {
	return regexp.MustCompile(`[^A-Za-z0-9_]`).ReplaceAllString(name, "_")
}

// lines collects lines of YAML.
type lines []string

// add appends lines.
func (l *lines) add(more ...string) { *l = append(*l, more...) }

// String returns the lines as one text.
func (l *lines) String() string { return strings.Join(*l, "\n") }
