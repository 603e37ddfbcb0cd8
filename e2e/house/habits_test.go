package house_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

// Logic compares errors with errors.Is and errors.As. The text of an error may change.
func TestLogicReadsNoErrorTexts(t *testing.T) {
	set, all := sources(t)
	for _, s := range all {
		if isTest(s.path) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if search(n) {
					t.Errorf("%s: a search in the text of an error", set.Position(n.Pos()))
				}
			case *ast.BinaryExpr:
				if (n.Op == token.EQL || n.Op == token.NEQ) && (isErrorText(n.X) || isErrorText(n.Y)) {
					t.Errorf("%s: a comparison with the text of an error", set.Position(n.Pos()))
				}
			}
			return true
		})
	}
}

// A sleep is slow or flaky: wait with testing/synctest, a channel or harness.Eventually. A
// file with testing/synctest sleeps in fake time. Any other sleep needs a reason.
func TestNothingSleepsForLuck(t *testing.T) {
	set, all := sources(t)
	for _, s := range all {
		if slices.ContainsFunc(s.file.Imports,
			func(i *ast.ImportSpec) bool { return i.Path.Value == `"testing/synctest"` }) {
			continue
		}
		lines := strings.Split(string(s.text), "\n")
		ast.Inspect(s.file, func(n ast.Node) bool {
			f, ok := n.(*ast.SelectorExpr)
			if !ok || f.Sel.Name != "Sleep" {
				return true
			}
			at := set.Position(n.Pos())
			pkg, ok := f.X.(*ast.Ident)
			if ok && pkg.Name == "time" && !strings.Contains(lines[at.Line-1], "//permit:time.Sleep ") {
				t.Errorf("%s: a sleep without //permit:time.Sleep and a reason", at)
			}
			return true
		})
	}
}

// search reports whether call searches the text of an error: by a function of strings or a
// regular expression.
func search(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := f.X.(*ast.Ident)
	if !(ok && pkg.Name == "strings") && !strings.HasPrefix(f.Sel.Name, "Match") &&
		!strings.HasPrefix(f.Sel.Name, "Find") {
		return false
	}
	for _, argument := range call.Args {
		if isErrorText(argument) {
			return true
		}
	}
	return false
}

// isErrorText reports whether e is x.Error().
func isErrorText(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok || len(call.Args) != 0 {
		return false
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	return ok && f.Sel.Name == "Error"
}

// No package has an init function or a variable besides sentinel errors, embedded files and
// compile-time assertions. Tests and programs of e2e may have tables.
func TestPackagesHaveNoState(t *testing.T) {
	set, all := sources(t)
	for _, s := range all {
		if isTest(s.path) || strings.HasPrefix(s.path, "e2e/") {
			continue
		}
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == "init" && d.Recv == nil {
					t.Errorf("%s: init", set.Position(d.Pos()))
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.VAR && !allowed(d, v) {
						t.Errorf("%s: package variable %s", set.Position(v.Pos()), v.Names[0].Name)
					}
				}
			}
		}
	}
}

// allowed reports whether v is a sentinel error, an embedded file, a value that the linker
// sets, or an assertion.
func allowed(d *ast.GenDecl, v *ast.ValueSpec) bool {
	name := v.Names[0].Name
	for _, doc := range []*ast.CommentGroup{d.Doc, v.Doc} {
		if doc != nil && strings.HasPrefix(doc.List[len(doc.List)-1].Text, "//go:embed") {
			return true
		}
	}
	return name == "_" || strings.HasPrefix(strings.ToLower(name), "err") || strings.HasPrefix(name, "build")
}

// readIfPresent returns nil without an error for a file that does not exist.
func readIfPresent(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

func TestErrorTextSearchesAreFound(t *testing.T) {
	for code, want := range map[string]bool{
		`strings.Contains(err.Error(), "x")`: true, `re.MatchString(err.Error())`: true, `errors.Is(err, x)`: false,
		`strings.Contains(text, "x")`: false, `fmt.Sprint(err.Error())`: false,
	} {
		e, err := parser.ParseExpr(code)
		if err != nil {
			t.Fatal(err)
		}
		if got := search(e.(*ast.CallExpr)); got != want {
			t.Errorf("%s: %v, want %v", code, got, want)
		}
	}
}
