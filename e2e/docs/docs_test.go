package docs

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// block is a fenced command block of a document.
type block struct {
	kind string // sh, shell: a script that must exit with 0; console: commands after "$ " and their output
	line int
	text string
}

// blocks returns the command blocks of a document, including those within lists.
func blocks(document string) []block {
	var list []block
	var open *block
	indent := ""
	for i, line := range strings.Split(document, "\n") {
		fence := strings.TrimLeft(line, " ")
		switch {
		case open == nil && strings.HasPrefix(fence, "```"):
			indent = line[:len(line)-len(fence)]
			open = &block{kind: strings.TrimPrefix(fence, "```"), line: i + 1}
		case open != nil && fence == "```":
			if open.kind == "sh" || open.kind == "shell" || open.kind == "console" {
				list = append(list, *open)
			}
			open = nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		}
	}
	return list
}

// elsewhere lists documents whose commands do not run here: those of lab-book.md measure for
// minutes, and those of systemd.md run on a host of their own, in e2e/pid1.
func elsewhere() []string { return []string{"lab-book.md", "systemd.md"} }

// Every command block of the documents runs. The blocks of one document run in order in
// one directory, each in its own shell.
func TestDocumentCommandsRun(t *testing.T) {
	documents, err := filepath.Glob(filepath.Join(harness.Root(), "docs", "*.md"))
	if err != nil || len(documents) < 6 {
		t.Fatalf("%d documents, %v", len(documents), err)
	}
	ran := 0
	for _, path := range append(documents, filepath.Join(harness.Root(), "README.md")) {
		if slices.Contains(elsewhere(), filepath.Base(path)) {
			continue
		}
		list := blocks(read(t, path))
		ran += len(list)
		t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), func(t *testing.T) {
			s := newSandbox(t)
			for _, b := range list {
				s.run(t, b)
			}
		})
	}
	if ran < 25 {
		t.Errorf("%d command blocks ran", ran)
	}
}

// Every link between the documents has a target.
func TestLinksResolve(t *testing.T) {
	documents, err := filepath.Glob(filepath.Join(harness.Root(), "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(documents, filepath.Join(harness.Root(), "README.md"),
		filepath.Join(harness.Root(), "CONTRIBUTING.md")) {
		for _, link := range regexp.MustCompile(`\]\(([^):#]+)\)`).FindAllStringSubmatch(read(t, path), -1) {
			if found, err := filepath.Glob(filepath.Join(filepath.Dir(path), link[1])); err != nil || len(found) == 0 {
				t.Errorf("%s: %s has no target", filepath.Base(path), link[1])
			}
		}
	}
}

// like reports whether got equals want. In want, … matches any text within a line, and a
// line of … alone matches any lines.
func like(got, want string) bool {
	var pattern strings.Builder
	pattern.WriteString(`(?s)\A`)
	for line := range strings.Lines(want) {
		line = strings.TrimSuffix(line, "\n")
		if line == "…" {
			pattern.WriteString(`(?:.*\n)?`)
			continue
		}
		parts := strings.Split(line, "…")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		pattern.WriteString(strings.Join(parts, `[^\n]*`) + `\n`)
	}
	pattern.WriteString(`\z`)
	return regexp.MustCompile(pattern.String()).MatchString(got)
}

func TestLikeMatchesEllipsis(t *testing.T) {
	for _, test := range []struct {
		got, want string
		like      bool
	}{
		{"a\n", "a\n", true}, {"a\n", "b\n", false}, {"a\nb\n", "a\n", false}, {"a\nb\nc\n", "a\n…\nc\n", true},
		{"a\nc\n", "a\n…\nc\n", true},
		{"version 19.3\n", "version …\n", true}, {"version\n19\n", "version …\n", false}, {"a.c\n", "abc\n", false},
		{"", "…\n", true}, {"x\n", "…\n", true},
	} {
		if got := like(test.got, test.want); got != test.like {
			t.Errorf("%q like %q: %v", test.got, test.want, got)
		}
	}
}

func TestBlocksFindsFences(t *testing.T) {
	list := blocks("text\n```sh\na\n```\n```yaml\nb\n```\n1. x\n\n   ```console\n   $ c\n     d\n   ```\n")
	want := []block{{"sh", 2, "a\n"}, {"console", 10, "$ c\n  d\n"}}
	if !slices.Equal(list, want) {
		t.Errorf("%+v", list)
	}
}
