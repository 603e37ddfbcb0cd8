package manifest

import (
	"embed"
	"strings"
)

// templates are the manifests. Their marks stand in [[ ]]: those of Helm keep their braces.
//
//	[[name]]      a text. Its lines get the depth of the line with the mark. A line that
//	              becomes empty is dropped.
//	[[for list]]  the lines up to [[end]], for each item of the list, with its texts too.
//	              Those after [[between]] stand between two items.
//
//go:embed templates
var templates embed.FS

// texts are those that a template can name.
type texts map[string]string

// lists are those that a template can repeat lines for. An item has texts of its own.
type lists map[string][]texts

// render fills a template in.
func render(name string, t texts, l lists) (string, error) {
	file, err := templates.ReadFile("templates/" + name)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	rest, more := string(file), true
	for more {
		var plain, list, section string
		plain, rest, more = strings.Cut(rest, "[[for ")
		b.WriteString(t.fill(plain, nil))
		list, rest, _ = strings.Cut(rest, "]]\n")
		section, rest, _ = strings.Cut(rest, "[[end]]\n")
		lines, between, _ := strings.Cut(section, "[[between]]\n")
		for i, item := range l[list] {
			if i > 0 {
				b.WriteString(t.fill(between, nil))
			}
			b.WriteString(t.fill(lines, item))
		}
	}
	return b.String(), nil
}

// fill replaces the marks of the texts and of the item's.
func (t texts) fill(template string, item texts) string {
	var pairs []string
	for _, set := range []texts{t, item} {
		for name, text := range set {
			pairs = append(pairs, "[["+name+"]]", text)
		}
	}
	replacer := strings.NewReplacer(pairs...)
	var b strings.Builder
	for line := range strings.Lines(template) {
		text := strings.TrimLeft(line, " ")
		b.WriteString(indent(len(line)-len(text), replacer.Replace(text)))
	}
	return b.String()
}

// when is a list with one item, or with none: its lines are there if is holds.
func when(is bool) []texts {
	if is {
		return []texts{{}}
	}
	return nil
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
