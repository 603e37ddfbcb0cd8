package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// The table in docs/troubleshooting.md has a row for each fault, in the same order.
func TestDocumentListsEachFault(t *testing.T) {
	const heading = "| what you see | what doctor says | what to do |\n|---|---|---|\n"
	text, err := os.ReadFile(filepath.Join(harness.Root(), "docs", "troubleshooting.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), heading)
	if !found {
		t.Fatal("the table is missing")
	}
	table, _, _ := strings.Cut(rest, "\n\n")
	var want strings.Builder
	for _, f := range faults() {
		fmt.Fprintf(&want, "| %s | %s | %s |\n", f.symptom, f.cause, f.fix)
	}
	if got := table + "\n"; got != want.String() {
		t.Errorf("the table differs; write this:\n%s", want.String())
	}
}
