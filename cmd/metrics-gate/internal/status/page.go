package status

import (
	_ "embed"

	g "maragu.dev/gomponents"
	"maragu.dev/gomponents/html"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// page is a report as HTML, with a method for each section. Nodes escape every text and
// attribute. There are no scripts, and the policy in the header would run none.
type page struct{ *Report }

// style is the page's only style; the policy names it by its digest.
//
//go:embed style.css
var style string

// document is the whole page.
func (p page) document() g.Node {
	return html.Doctype(html.HTML(html.Lang("en"),
		html.Head(
			html.Meta(html.Charset("utf-8")),
			html.Meta(html.Name("viewport"), html.Content("width=device-width,initial-scale=1")),
			html.Meta(g.Attr("http-equiv", "refresh"), html.Content("15")),
			html.TitleEl(g.Textf("%s: %s - metrics-gate", p.Runner.Name, p.summary())),
			html.StyleEl(g.Raw(style)), //permit:g.Raw of a constant
		),
		html.Body(
			p.header(),
			html.Main(p.attention(), p.state(), p.scrapers(), p.scrapes(), p.refused(), p.counts(), p.limits(),
				p.expiry(), p.reloads()),
		),
	))
}

// summary is the state in a few words. A gate on which something fails is not one whose runner is up.
func (p page) summary() string {
	summary := "runner " + p.Runner.State
	if p.Runner.State != "down" && cli.Worst(p.Findings) == cli.LevelFail {
		summary += ", needs attention"
	}
	return summary
}

// header names the runner and links to what else the listener answers.
func (p page) header() g.Node {
	link := func(path string) g.Node { return html.A(html.Href(path), g.Text(path)) }
	return html.Header(
		html.H1(name(p.Runner.Name)),
		html.Span(html.Class("dim"), g.Text("metrics-gate "+p.Version+", as of "), date(p.At)),
		html.Nav(spaced(link("/metrics"), link("/livez"), link("/readyz"))),
	)
}
