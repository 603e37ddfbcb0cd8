package deploy

import (
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestWorkflows: actionlint finds nothing in the workflows, and it does find a bad one.
func TestWorkflows(t *testing.T) {
	args := []string{
		"tool",
		"-modfile=" + source(".ci/release-tools/go.mod"),
		"actionlint",
		"-no-color",
		"-shellcheck=",
	}
	cmd := exec.CommandContext(t.Context(), "go", append(args, glob(t, ".github/workflows/*.yml")...)...)
	cmd.Dir = source()
	if r := finish(t, cmd); r.code != 0 {
		t.Errorf("%s%s", r.stdout, r.stderr)
	}
	bad := t.TempDir() + "/bad.yml"
	write(t, bad, strings.Replace(read(t, source(".github/workflows/check.yml")), "runs-on:", "runs-at:", 1), 0o644)
	cmd = exec.CommandContext(t.Context(), "go", append(args, bad)...)
	cmd.Dir = source()
	if r := finish(t, cmd); r.code == 0 || !strings.Contains(r.stdout, "runs-at") {
		t.Errorf("exit %d: %s%s", r.code, r.stdout, r.stderr)
	}
}

// TestReleaseDocument: docs/packages.md lists the targets that are built, and docs/install.md verifies
// what the workflow signs, by the workflow that signs it.
func TestReleaseDocument(t *testing.T) {
	document := read(t, source("docs/packages.md"))
	_, list, _ := strings.Cut(document, "Archives exist for ")
	list, _, _ = strings.Cut(list, ".\n")
	documented := map[string]bool{}
	for _, system := range regexp.MustCompile(`(\w+)\s\(([^)]*)\)`).FindAllStringSubmatch(list, -1) {
		for arch := range strings.FieldsFuncSeq(system[2], func(r rune) bool {
			return strings.ContainsRune(", \n", r)
		}) {
			documented[system[1]+"/"+arch] = true
		}
	}
	built := slices.Sorted(strings.FieldsSeq(read(t, source(".ci/targets"))))
	if got := slices.Sorted(maps.Keys(documented)); !slices.Equal(got, built) {
		t.Errorf("documented %v, built %v", got, built)
	}
	const workflow = ".github/workflows/release.yml"
	signs, verifies := read(t, source(workflow)), read(t, source("docs/install.md"))
	for _, text := range []string{"--bundle SHA256SUMS.sigstore.json", "SHA256SUMS\n"} {
		if !strings.Contains(signs, text) || !strings.Contains(verifies, text) {
			t.Errorf("%q is not in both the workflow and the document", text)
		}
	}
	if !strings.Contains(verifies, "workflow=https://github.com/metrics-gate/metrics-gate/"+workflow+"\n") {
		t.Error("the document verifies another workflow")
	}
}
