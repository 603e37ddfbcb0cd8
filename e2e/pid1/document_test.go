package pid1

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// section runs the shell blocks of a section of docs/systemd.md, each in a shell of its own, and
// returns what the last one printed.
func (s *site) section(t *testing.T, heading string) string {
	t.Helper()
	out := ""
	for _, block := range sectionBlocks(t, "systemd.md", heading) {
		out = s.run(t, block)
	}
	return out
}

// sectionBlocks returns the shell blocks of a section of a page in docs, at least one.
func sectionBlocks(t *testing.T, page, heading string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.Root(), "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/%s has no section %q", page, heading)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	list := blocks(rest)
	if len(list) == 0 {
		t.Fatalf("section %q has no shell block", heading)
	}
	return list
}

// blocks are the fenced blocks of kind sh and shell of a text, those within lists included.
func blocks(text string) []string {
	const fence = "```"
	text = strings.ReplaceAll(text, fence+"shell\n", fence+"sh\n")
	var list []string
	for {
		before, rest, found := strings.Cut(text, fence+"sh\n")
		if !found {
			return list
		}
		indent := before[strings.LastIndexByte(before, '\n')+1:]
		body, after, _ := strings.Cut(rest, "\n"+indent+fence)
		var block strings.Builder
		for line := range strings.Lines(body) {
			block.WriteString(strings.TrimPrefix(line, indent))
		}
		list, text = append(list, block.String()), after
	}
}

func TestBlocks(t *testing.T) {
	text := strings.ReplaceAll("1. x\n\n   ~shell\n   a\n     b\n   ~\n~ini\nc\n~\n~sh\nd\n~\n", "~", "```")
	if got := strings.Join(blocks(text), "|"); got != "a\n  b|d" {
		t.Errorf("%q", got)
	}
}
