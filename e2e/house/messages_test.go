package house_test

import (
	"go/ast"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// message is what the code logs under one text, or what docs/operations.md says of it.
type message struct{ levels, fields map[string]bool }

// messages are the texts of log records.
type messages map[string]message

func (m messages) add(text string, levels, fields []string) {
	if m[text].levels == nil {
		m[text] = message{map[string]bool{}, map[string]bool{}}
	}
	for _, level := range levels {
		m[text].levels[level] = true
	}
	for _, field := range fields {
		m[text].fields[field] = true
	}
}

// TestOperationsListsEveryMessage holds the tables of docs/operations.md to the calls of slog in the
// gate: the messages, their levels and their fields.
func TestOperationsListsEveryMessage(t *testing.T) {
	code, keys := logged(t)
	page := documented(t)
	if len(code) < 30 {
		t.Fatalf("%d messages in the code", len(code))
	}
	for text, m := range code {
		listed, ok := page[text]
		if !ok {
			t.Errorf("%q is not in docs/operations.md: %v %v", text, words(m.levels), words(m.fields))
			continue
		}
		if !maps.Equal(listed.levels, m.levels) {
			t.Errorf(
				"%q: levels %v in docs/operations.md, %v in the code",
				text,
				words(listed.levels),
				words(m.levels),
			)
		}
		for field := range m.fields {
			if !listed.fields[field] {
				t.Errorf("%q: the field %s is not in docs/operations.md", text, field)
			}
		}
	}
	for text, m := range page {
		if _, ok := code[text]; !ok {
			t.Errorf("docs/operations.md has %q, which nothing logs", text)
		}
		for field := range m.fields {
			if !keys[field] {
				t.Errorf("%q: docs/operations.md has the field %s, which nothing logs", text, field)
			}
		}
	}
}

func words(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

// documented reads the tables below "## The log": message, level, fields, meaning and cure.
func documented(t *testing.T) messages {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.Root(), "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, log, _ := strings.Cut(string(text), "\n## The log\n")
	log, _, _ = strings.Cut(log, "\n## ")
	page := messages{}
	for line := range strings.Lines(log) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if !strings.HasPrefix(line, "| `") || len(cells) != 4 {
			continue // a reason
		}
		if cells[3] == "" {
			t.Errorf("no cure in %s", line)
		}
		fields := strings.Fields(strings.NewReplacer("`", "", ",", "", "-", "").Replace(cells[2]))
		page.add(strings.Trim(cells[0], "`"), strings.Split(cells[1], ", "), fields)
	}
	return page
}

// logged collects the messages of all calls of slog in the gate, and every string of its code,
// for a field may have its name from a constant.
func logged(t *testing.T) (code messages, keys map[string]bool) {
	t.Helper()
	set, all := sources(t)
	all = slices.DeleteFunc(all, func(s source) bool {
		return isTest(s.path) || strings.HasPrefix(s.path, "e2e/") || strings.HasPrefix(s.path, ".ci/")
	})
	helpers := map[string][]string{}
	for range 2 { // the second time for helpers that call others
		for _, s := range all {
			for _, d := range s.file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && returnsAttrs(f) {
					helpers[f.Name.Name] = fieldsIn(f, helpers)
				}
			}
		}
	}
	code, keys = messages{}, map[string]bool{}
	for _, s := range all {
		checkLoggerNames(t, set, s.file)
		for _, d := range s.file.Decls {
			c := collector{t: t, set: set, code: code, within: d, helpers: helpers}
			ast.Inspect(d, c.visit)
			ast.Inspect(d, func(n ast.Node) bool {
				if text, ok := constant(n); ok {
					keys[text] = true
				}
				return true
			})
		}
	}
	return code, keys
}

// returnsAttrs tells whether f makes attributes for its caller.
func returnsAttrs(f *ast.FuncDecl) bool {
	return f.Type.Results != nil && slices.ContainsFunc(f.Type.Results.List, func(p *ast.Field) bool {
		list, ok := p.Type.(*ast.ArrayType)
		return ok && typeName(list.Elt) == "slog.Attr"
	})
}

// checkLoggerNames demands that a logger is called log or Log: by this name the calls are found.
func checkLoggerNames(t *testing.T, set *token.FileSet, file *ast.File) {
	t.Helper()
	ast.Inspect(file, func(n ast.Node) bool {
		field, ok := n.(*ast.Field)
		if !ok || typeName(field.Type) != "slog.Logger" {
			return true
		}
		for _, name := range field.Names {
			if !strings.EqualFold(name.Name, "log") {
				t.Errorf("%s: a logger with the name %s; call it log", set.Position(n.Pos()), name.Name)
			}
		}
		return true
	})
}

// typeName is "package.Type" of a type or a pointer to it.
func typeName(e ast.Expr) string {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	if s, ok := e.(*ast.SelectorExpr); ok {
		if x, ok := s.X.(*ast.Ident); ok {
			return x.Name + "." + s.Sel.Name
		}
	}
	return ""
}

// collector finds the calls of slog in a declaration.
type collector struct {
	t       *testing.T
	set     *token.FileSet
	code    messages
	within  ast.Node            // the declaration
	request bool                // a function around the present node has a *http.Request
	helpers map[string][]string // the fields of functions that return attributes
}

func (c *collector) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncDecl:
		c.request = hasRequest(n.Type)
	case *ast.FuncLit:
		inner := *c
		inner.request = c.request || hasRequest(n.Type)
		ast.Inspect(n.Body, inner.visit)
		return false
	case *ast.CallExpr:
		c.call(n)
	}
	return true
}

func hasRequest(f *ast.FuncType) bool {
	return slices.ContainsFunc(f.Params.List, func(p *ast.Field) bool { return typeName(p.Type) == "http.Request" })
}

// call adds the record that n makes, if it makes one.
func (c *collector) call(n *ast.CallExpr) {
	f, ok := n.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	at, ok := map[string]int{ // the position of the message
		"Debug": 0, "Info": 0, "Warn": 0, "Error": 0, "Log": 2, "LogAttrs": 2, "NewRecord": 2,
	}[f.Sel.Name]
	if !ok || len(n.Args) <= at || !isLogger(f) {
		return
	}
	text, ok := constant(n.Args[at])
	if !ok {
		c.t.Errorf("%s: the message is no constant", c.set.Position(n.Pos()))
		return
	}
	levels := []string{strings.ToLower(f.Sel.Name)}
	if at > 0 {
		levels = levelsIn(n)
	}
	if len(levels) == 0 {
		levels = levelsIn(c.within)
	}
	fields := fieldsIn(n, c.helpers)
	if f.Sel.Name != "LogAttrs" {
		for i := at + 1; i < len(n.Args); i += 2 {
			if key, ok := constant(n.Args[i]); ok {
				fields = append(fields, key)
			}
		}
	}
	if n.Ellipsis.IsValid() || f.Sel.Name == "NewRecord" {
		fields = append(fields, fieldsIn(c.within, c.helpers)...)
	}
	if c.request && !slices.Contains(fields, "remote") && !slices.Contains(fieldsIn(c.within, c.helpers), "remote") {
		c.t.Errorf("%s: a record about a request without the field remote", c.set.Position(n.Pos()))
	}
	c.code.add(text, levels, fields)
}

// isLogger tells whether f is a method of a logger, or slog.NewRecord.
func isLogger(f *ast.SelectorExpr) bool {
	switch x := f.X.(type) {
	case *ast.Ident:
		return strings.EqualFold(x.Name, "log") || (x.Name == "slog" && f.Sel.Name == "NewRecord")
	case *ast.SelectorExpr:
		return strings.EqualFold(x.Sel.Name, "log")
	}
	return false
}

// levelsIn lists the levels that are named in n.
func levelsIn(n ast.Node) (levels []string) {
	ast.Inspect(n, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && strings.HasPrefix(s.Sel.Name, "Level") &&
			typeName(s) == "slog."+s.Sel.Name {
			levels = append(levels, strings.ToLower(strings.TrimPrefix(s.Sel.Name, "Level")))
		}
		return true
	})
	return levels
}

// fieldsIn lists the keys of the attributes that are made in n, and by helpers that it calls.
func fieldsIn(n ast.Node, helpers map[string][]string) (fields []string) {
	ast.Inspect(n, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch f := call.Fun.(type) {
		case *ast.Ident:
			fields = append(fields, helpers[f.Name]...)
		case *ast.SelectorExpr:
			fields = append(fields, helpers[f.Sel.Name]...)
			if strings.HasPrefix(typeName(f), "slog.") && len(call.Args) == 2 {
				if key, ok := constant(call.Args[0]); ok {
					fields = append(fields, key)
				}
			}
		}
		return true
	})
	return fields
}

// constant is the value of a string literal.
func constant(n ast.Node) (string, bool) {
	literal, ok := n.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(literal.Value)
	return text, err == nil
}
