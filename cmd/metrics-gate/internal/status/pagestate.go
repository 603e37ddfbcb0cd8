package status

import (
	"strings"

	g "maragu.dev/gomponents"
	"maragu.dev/gomponents/html"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/expiry"
)

// attention is what wants it; none if nothing does.
func (p page) attention() g.Node {
	if len(p.Findings) == 0 {
		return nil
	}
	return section("attention", "Attention", html.Ul(g.Map(p.Findings, func(f cli.Finding) g.Node {
		class := warn
		if f.Level == cli.LevelFail {
			class = bad
		}
		return html.Li(
			html.Span(html.Class(class), sentence(f.What)),
			g.If(f.Do != "", why(sentence(f.Do))))
	})))
}

// state is how the gate and the runner are, and what is configured.
func (p page) state() g.Node {
	ready := span(ok, "ready")
	if p.NotReady != "" {
		ready = span(bad, "not ready")
	}
	methods := g.Map(p.Methods, func(m string) g.Node { return g.Text(m) })
	return section("state", "State", pairs(
		pair("gate", ready, g.Text(" on "), html.Code(g.Text(p.Listen)),
			g.If(!p.TLS, g.Group{g.Text(" "), span(warn, "plain HTTP")}), g.Text(", since "), p.when(p.Started)),
		p.runner(),
		pair("runner's version", p.version()),
		p.expiresFirst(),
		pair("authentication", joined(", ", methods...)),
		g.Map(p.Rights, func(r config.RouteRights) g.Node {
			if len(r.Allow) == 0 {
				return pair(r.Routes, g.Text("nobody"))
			}
			return pair(r.Routes, joined(", ", g.Map(r.Allow, code)...))
		}),
		pair("label", html.Code(g.Text(p.Label)), g.Text(", on conflict "), html.Code(g.Text(p.Conflict)))))
}

func (p page) runner() g.Node {
	r := p.Runner
	class := map[string]string{"up": ok, "down": bad}[r.State]
	if class == "" {
		class = dim
	}
	return pair("runner", span(class, r.State), g.Text(" at "), code(p.Upstream),
		g.If(!r.Since.IsZero(), g.Group{g.Text(", since "), p.when(r.Since)}),
		g.If(r.Err != "", failure(r.Reason, r.Err)))
}

func (p page) version() g.Node {
	if p.Runner.Version == "" {
		return span(dim, "not seen yet")
	}
	return name(p.Runner.Version)
}

func (p page) expiresFirst() g.Node {
	first := p.ExpiresFirst()
	if first == nil {
		return nil
	}
	return pair("expires first", g.Text(first.Role+" "), name(first.Subject), g.Text(": "),
		span(mark(!first.Soon()), first.Left()), g.Text(", "), date(first.NotAfter))
}

// limits is how near each limit is.
func (p page) limits() g.Node {
	return section("limits", "Limits", pairs(g.Map(p.Limits, func(l limitStatus) g.Node {
		class := "n"
		if l.Near() {
			class = "n " + warn
		}
		return html.Tr(
			html.Td(name(l.What)),
			html.Td(html.Class("n"), g.Text(l.String())),
			html.Td(html.Class(class), g.Text(l.Percent())),
			html.Td(html.Class("wide"), html.Code(g.Text(strings.TrimPrefix(l.Variable, config.Prefix)))))
	})))
}

// expiry is what expires when, and when the keys of issuers were fetched.
func (p page) expiry() g.Node {
	all := columns{"what", "subject", "left", "expires"}
	rows := g.Map(p.Expiry, func(e expiry.Entry) g.Node {
		return all.row(g.Text(e.Role), name(e.Subject), span(mark(!e.Soon()), e.Left()), date(e.NotAfter))
	})
	keys := columns{"what", "issuer", "fetched", "at"}
	rows = append(rows, g.Map(p.Issuers, func(i issuerStatus) g.Node {
		if i.Keys.IsZero() {
			return keys.row(g.Text("keys"), name(i.Issuer), span(bad, "never fetched"), nil)
		}
		return keys.row(g.Text("keys"), name(i.Issuer), span(ok, "fetched"), p.when(i.Keys))
	})...)
	return section("expiry", "Certificates and keys", all.table("Plain HTTP: none.", rows))
}

// reloads is what became of changed files.
func (p page) reloads() g.Node {
	all := columns{"what", "loaded", "last error"}
	return section("reloads", "Reloads", all.table("No files.", g.Map(p.Reloads, func(r Reload) g.Node {
		loaded, failed := span(dim, "at the start"), span(dim, "none")
		if !r.Loaded.IsZero() {
			loaded = p.when(r.Loaded)
		}
		if r.Err != "" {
			now := span(ok, "good again")
			if r.Failing {
				now = span(bad, "refused")
			}
			failed = g.Group{now, g.Text(", "), p.when(r.ErrAt), why(sentence(r.Err)),
				g.If(r.Failing, why(sentence(r.Advice)))}
		}
		return all.row(g.Text(r.What), loaded, failed)
	})))
}
