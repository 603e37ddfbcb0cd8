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

// Every command block of the documents runs: each in a shell of its own, as for a reader who
// comes back the next day, and all blocks of a page in one shell, as they are pasted into one
// terminal from top to bottom.
func TestDocumentCommandsRun(t *testing.T) {
	ran := 0
	for _, path := range pages(t) {
		if slices.Contains(elsewhere(), filepath.Base(path)) {
			continue
		}
		list := blocks(read(t, path))
		ran += len(list)
		if len(list) == 0 {
			continue
		}
		name := filepath.Base(filepath.Dir(path)) + "/" + filepath.Base(path)
		t.Run(name+"/one terminal", func(t *testing.T) {
			t.Parallel()
			x := newSandbox(t).open(t)
			defer x.close()
			for _, b := range list {
				x.run(t, b)
			}
		})
		t.Run(name+"/block by block", func(t *testing.T) {
			t.Parallel()
			m := newSandbox(t)
			for _, b := range list {
				x := m.open(t)
				x.run(t, b)
				x.close()
			}
		})
	}
	if ran < 25 {
		t.Errorf("%d command blocks ran", ran)
	}
}

// pages lists the documents.
func pages(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(harness.Root(), "docs", "*.md"))
	if err != nil || len(list) < 6 {
		t.Fatalf("%d documents, %v", len(list), err)
	}
	return append(list, filepath.Join(harness.Root(), "README.md"))
}

// A block of commands that does not run says why in the line above.
func TestBlocksThatDoNotRunSayWhy(t *testing.T) {
	for _, path := range pages(t) {
		lines := strings.Split(read(t, path), "\n")
		for i, line := range lines {
			if strings.TrimSpace(line) == "```bash" &&
				!strings.HasPrefix(strings.TrimSpace(lines[max(0, i-1)]), "<!-- not run") {
				t.Errorf("%s:%d: no <!-- not run: REASON --> above", filepath.Base(path), i+1)
			}
		}
	}
}

// docs/README.md lists every page.
func TestIndexListsEveryPage(t *testing.T) {
	index := read(t, filepath.Join(harness.Root(), "docs", "README.md"))
	for _, path := range pages(t) {
		if name := filepath.Base(path); name != "README.md" && !strings.Contains(index, "("+name+")") {
			t.Errorf("%s is not in docs/README.md", name)
		}
	}
}

// Every link between the documents has a target.
func TestLinksResolve(t *testing.T) {
	for _, path := range append(pages(t), filepath.Join(harness.Root(), "CONTRIBUTING.md")) {
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
