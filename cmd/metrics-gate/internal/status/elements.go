package status

import (
	"strings"
	"time"

	g "maragu.dev/gomponents"
	"maragu.dev/gomponents/html"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// The classes of style.css for a text.
const (
	ok   = "ok"
	bad  = "bad"
	warn = "warn"
	dim  = "dim"
)

// span is a text in one of the classes.
func span(class, text string) g.Node { return html.Span(html.Class(class), g.Text(text)) }

// mark is the class of what is as it should be, or not.
func mark(good bool) string {
	if good {
		return ok
	}
	return bad
}

// name is a name from outside. What it does to the direction of writing ends with it.
func name(text string) g.Node {
	nodes := g.Group{}
	for i, piece := range pieces(text) {
		nodes = append(nodes, g.If(i > 0, html.Wbr()), g.Text(piece))
	}
	return g.El("bdi", nodes...)
}

// pieces cuts a name where a narrow page may break it: behind each run of separators.
func pieces(name string) []string {
	var list []string
	isSeparator := func(c byte) bool { return strings.IndexByte("/:.,;=@_-|?&", c) >= 0 }
	isDigit := func(c byte) bool { return '0' <= c && c <= '9' } // no address is broken
	start := 0
	for i := 1; i < len(name); i++ {
		if isSeparator(name[i-1]) && !isSeparator(name[i]) && !isDigit(name[i]) {
			list = append(list, name[start:i])
			start = i
		}
	}
	return append(list, name[start:])
}

// sentence is a text with something from outside in it. It is not broken like a name.
func sentence(text string) g.Node { return g.El("bdi", g.Text(text)) }

// code is a name as it is written in settings.
func code(text string) g.Node { return html.Code(name(text)) }

// why is a line of its own that explains.
func why(nodes ...g.Node) g.Node { return html.Div(html.Class("why"), g.Group(nodes)) }

// failure is a reason and an error; either may be empty.
func failure(reason, err string) g.Node {
	return why(
		g.If(reason != "", html.B(g.Text(reason))),
		g.If(err != "", g.Group{g.Text(" "), sentence(err)}))
}

// spaced puts a space between the nodes that are there.
func spaced(nodes ...g.Node) g.Group { return joined(" ", nodes...) }

// joined puts a separator between the nodes that are there.
func joined(separator string, nodes ...g.Node) g.Group {
	var list g.Group
	for _, node := range nodes {
		if node == nil {
			continue
		}
		if len(list) > 0 {
			list = append(list, g.Text(separator))
		}
		list = append(list, node)
	}
	return list
}

// date is a time for people and programs.
func date(t time.Time) g.Node {
	return html.Time(html.DateTime(t.UTC().Format(time.RFC3339)), g.Text(stamp(t)))
}

// when is a time, and how long ago it was.
func (p page) when(t time.Time) g.Node {
	return spaced(date(t), span("dim ago", cli.HumanDuration(p.At.Sub(t))+" ago"))
}

// seconds is a duration for people.
func seconds(n float64) string { return cli.HumanDuration(time.Duration(n * float64(time.Second))) }

// section is a part of the page that can be linked to.
func section(id, title string, content ...g.Node) g.Node {
	return html.Section(html.ID(id), html.H2(g.Text(title)), g.Group(content))
}

// pairs is a table of names and values, without a head.
func pairs(rows ...g.Node) g.Node { return html.Table(html.Class("pairs"), g.Group(rows)) }

// pair is a row of it.
func pair(name string, value ...g.Node) g.Node {
	return html.Tr(html.Th(html.Scope("row"), g.Text(name)), html.Td(value...))
}

// columns are those of a table with a head: the first is what a row is about, a number's name
// begins with #. On a narrow page each cell but the first shows its column's name.
type columns []string

// table has the rows, or says that there are none.
func (c columns) table(none string, rows g.Group) g.Node {
	if len(rows) == 0 {
		return html.P(html.Class(dim), g.Text(none))
	}
	head := html.Tr(g.Map(c, func(name string) g.Node {
		name, isNumber := strings.CutPrefix(name, "#")
		return html.Th(html.Scope("col"), g.If(isNumber, html.Class("n")), g.Text(name))
	}))
	return html.Table(html.Class("rows"), html.THead(head), rows)
}

// row has a cell for each column.
func (c columns) row(cells ...g.Node) g.Node {
	row := g.Group{html.Td(html.Class("key"), cells[0])}
	for i, cell := range cells[1:] {
		name, isNumber := strings.CutPrefix(c[i+1], "#")
		row = append(row, html.Td(g.If(isNumber, html.Class("n")), html.Data("name", name), cell))
	}
	return html.Tr(row)
}
