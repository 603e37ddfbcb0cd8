package status

import (
	"regexp"
	"strings"
	"testing"

	g "maragu.dev/gomponents"
)

// A name is escaped, in a text and in an attribute.
func TestElementsEscape(t *testing.T) {
	const (
		text    = "<script>\"'&\u202e</script>"
		escaped = "&lt;script&gt;&#34;&#39;&amp;\u202e&lt;/script&gt;"
		// As a name it may be broken behind a separator.
		broken = "&lt;script&gt;&#34;&#39;&amp;<wbr>\u202e&lt;/<wbr>script&gt;"
	)
	for want, node := range map[string]g.Node{
		"<bdi>" + broken + "</bdi>":                                                name(text),
		"<code><bdi>" + broken + "</bdi></code>":                                   code(text),
		"<bdi>" + escaped + "</bdi>":                                               sentence(text),
		`<span class="` + escaped + `">` + escaped + "</span>":                     span(text, text),
		`<div class="why"><b>` + escaped + "</b> <bdi>" + escaped + "</bdi></div>": failure(text, text),
		`<section id="` + escaped + `"><h2>` + escaped + "</h2></section>":         section(text, text),
		`<tr><td class="key">` + escaped + `</td><td data-name="` + escaped + `">` + escaped + "</td></tr>": columns{
			text, text}.row(g.Text(text), g.Text(text)),
		`<tr><th scope="row">` + escaped + "</th><td>" + escaped + "</td></tr>": pair(text, g.Text(text)),
	} {
		var b strings.Builder
		if err := node.Render(&b); err != nil || b.String() != want {
			t.Errorf("%v %s\nwant %s", err, &b, want)
		}
	}
}

// A mark that turns the direction of writing round ends with the text that has it: the words of
// the page around it stay as they are.
func TestDirectionOfWriting(t *testing.T) {
	page := getPage(statusOf(t, nil), "").Body.String()
	_, body, _ := strings.Cut(page, "<body>")
	if n := strings.Count(body, "\u202e"); n < 10 {
		t.Fatalf("only %d hostile texts", n)
	}
	isolated := regexp.MustCompile(`<bdi>.*?</bdi>`)
	for _, line := range strings.Split(isolated.ReplaceAllString(body, ""), "<tr") {
		if strings.Contains(line, "\u202e") {
			t.Errorf("not isolated: %q", line)
		}
	}
}

func TestJoined(t *testing.T) {
	var b strings.Builder
	list := joined(", ", nil, g.Text("a"), nil, nil, g.Text("b"), nil)
	if err := list.Render(&b); err != nil || b.String() != "a, b" {
		t.Errorf("%v %q", err, &b)
	}
}
