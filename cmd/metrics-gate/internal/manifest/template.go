package manifest

import (
	"embed"
	"encoding/json"
	"regexp"
	"strings"
	"text/template"
)

// templates are the manifests. Their actions stand in [[ ]]: those of Helm keep their braces.
//
//go:embed templates
var templates embed.FS

// render executes a template. Lines that an action leaves empty are dropped.
func render(name string, data view) (string, error) {
	t := template.New("").Delims("[[", "]]")
	execute := func(name string, data any) (string, error) {
		var b strings.Builder
		err := t.ExecuteTemplate(&b, name, data)
		return b.String(), err
	}
	t.Funcs(template.FuncMap{
		"quote": quote, "list": list, "labels": labels, "identifier": identifier,
		"regex": func(s string) (string, error) { return quote(regexp.QuoteMeta(s)) },
		"include": func(depth int, name string, data any) (string, error) {
			text, err := execute(name, data)
			return indent(depth, text), err
		},
	})
	if _, err := t.ParseFS(templates, "templates/*"); err != nil {
		return "", err
	}
	text, err := execute(name, data)
	return indent(0, text), err
}

// indent puts depth spaces before each line, and drops empty ones.
func indent(depth int, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			b.WriteString(strings.Repeat(" ", depth) + line)
		}
	}
	return b.String()
}

// quote is s as a YAML string: plain where nothing else can be read in it, else as JSON,
// which is YAML.
func quote(s string) (string, error) {
	plain := regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9/._:@-]*[A-Za-z0-9/]$`)
	word := regexp.MustCompile(`^(?i:true|false|yes|no|on|off|null)$`)
	if plain.MatchString(s) && !word.MatchString(s) {
		return s, nil
	}
	text, err := json.Marshal(s)
	return string(text), err
}

// list is a YAML list on one line.
func list(items []string) (string, error) {
	quoted := make([]string, len(items))
	for i, item := range items {
		var err error
		if quoted[i], err = quote(item); err != nil {
			return "", err
		}
	}
	return "[" + strings.Join(quoted, ", ") + "]", nil
}

// labels is the inside of a YAML map, a line each.
func labels(depth int, set pairs) (string, error) {
	var b strings.Builder
	for _, l := range set {
		name, err := quote(l.Name)
		if err != nil {
			return "", err
		}
		value, err := quote(l.Value)
		if err != nil {
			return "", err
		}
		b.WriteString(name + ": " + value + "\n")
	}
	return indent(depth, b.String()), nil
}

// identifier is a label's name as service discovery writes it in a meta label.
func identifier(name string) string {
	return regexp.MustCompile(`[^A-Za-z0-9_]`).ReplaceAllString(name, "_")
}
