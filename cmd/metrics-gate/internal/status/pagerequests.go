package status

import (
	"fmt"
	"strconv"

	g "maragu.dev/gomponents"
	"maragu.dev/gomponents/html"
)

// scrapers is who scrapes.
func (p page) scrapers() g.Node {
	all := columns{"who", "interval", "last success", "last scrape", "#failed"}
	return section("scrapers", "Scrapers", all.table("None yet.", g.Map(p.Scrapers, func(s Scraper) g.Node {
		interval, success := span(dim, "one scrape"), span(bad, "never")
		if s.Interval > 0 {
			interval = g.Text(seconds(s.Interval))
		}
		if !s.LastSuccess.IsZero() {
			success = p.when(s.LastSuccess)
		}
		return all.row(
			from(g.Group{name(s.Subject), g.If(s.Latest.Digest != "", span(dim, " sha256:"+s.Latest.Digest+"…"))},
				s.Address),
			spaced(interval, g.If(s.Late(p.At), span(warn, "late"))),
			success,
			result(s.Latest),
			g.Text(fmt.Sprintf("%d of %d", s.Failed, s.Scrapes)))
	})))
}

// scrapes is the last of them.
func (p page) scrapes() g.Node {
	all := columns{"when", "who", "result", "#took", "#samples"}
	return section("scrapes", "Last scrapes", all.table("None yet.", g.Map(p.Scrapes, func(s Scrape) g.Node {
		return all.row(p.when(s.At), from(name(s.Subject), s.Remote), result(s), g.Text(seconds(s.Duration)),
			g.Text(strconv.FormatInt(s.Samples, 10)))
	})))
}

// from is who asked, and from where.
func from(who g.Node, address string) g.Node { return spaced(who, why(g.Text("from "+address))) }

// result is what became of a scrape.
func result(s Scrape) g.Node {
	return g.Group{
		spaced(
			span(mark(s.Good), s.Result()),
			g.If(s.Format != "", spaced(g.Text(s.Size()), span(dim, s.FormatName()+", "+s.Encoding))),
			g.If(s.Shared, span(dim, "shared"))),
		g.If(s.Reason != "", failure(s.Reason, s.Err)),
	}
}

// refused is the last of what was refused.
func (p page) refused() g.Node {
	all := columns{"when", "who", "why", "#times"}
	return section("refusals", "Last refusals", all.table("None.", g.Map(p.Refused, func(r Refusal) g.Node {
		who, method := span(dim, "no name"), ""
		if r.Subject != "" {
			who = name(r.Subject)
		}
		if r.Method != "" {
			method = r.Method + " "
		}
		return all.row(
			p.when(r.At),
			g.Group{
				spaced(who, why(g.Text(method+"from "+r.Remote))),
				g.If(r.Issuer != "", why(g.Text("issuer "), name(r.Issuer)))},
			g.Group{
				spaced(g.Text(r.Message), g.If(r.Route != "", html.Code(g.Text(r.Route)))),
				failure(r.Reason, r.Err),
				g.If(r.Advice != "", why(sentence(r.Advice)))},
			g.Text(strconv.FormatInt(r.Times, 10)))
	})))
}

// counts is how often what was refused or failed.
func (p page) counts() g.Node {
	table := html.P(html.Class(dim), g.Text("Nothing."))
	if len(p.Refusals) > 0 {
		table = pairs(g.Map(p.Refusals, func(c count) g.Node {
			return html.Tr(
				html.Td(g.Text(c.What)),
				html.Td(html.Class("n"), g.Text(strconv.FormatInt(c.Times, 10))))
		}))
	}
	return section("counts", "Refused or failed since the start", table)
}
