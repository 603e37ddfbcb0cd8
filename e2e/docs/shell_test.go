package docs

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// The completions load in their shells and complete the commands.
func TestCompletionsLoad(t *testing.T) {
	p := newSetup(t, "127.0.0.1:9252")
	for shell, ask := range map[string]string{
		"bash": `. "$1"; COMP_WORDS=(metrics-gate do) COMP_CWORD=1; _metrics_gate; echo "${COMPREPLY[@]}"`,
		"fish": `source $argv[1]; complete --do-complete 'metrics-gate do'`,
		"zsh": `compdef() { :; }; compadd() { shift; echo "$@"; }; _describe() { print -l $names; }; source "$1";` +
			` CURRENT=2 words=(metrics-gate do); _metrics_gate`,
	} {
		script := writeTemp(t, "completion", p.gate(t, 0, "completion", shell))
		args := []string{"-c", ask, "sh", script}
		if shell == "fish" {
			args = []string{"-c", ask, script}
		}
		out, err := exec.Command(shell, args...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "doctor") {
			t.Errorf("%s: %v %s", shell, err, out)
		}
	}
}

// mandoc finds no error in the manual page.
func TestManualPagePassesMandoc(t *testing.T) {
	out := runTool(t, "mandoc", "-T", "utf8", "-W", "error,stop",
		filepath.Join(harness.Root(), "docs", "metrics-gate.1"))
	plain := regexp.MustCompile(`.\x08`).ReplaceAllString(out, "") // bold: a letter, backspace, the letter
	for _, want := range []string{"METRICS_GATE_UPSTREAM_URL", "doctor", "EXIT STATUS", "dns:NAME"} {
		if !strings.Contains(plain, want) {
			t.Errorf("no %s in %.3000s", want, plain)
		}
	}
}
