package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/configtest"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/manifest"
)

// The manual page is made from the declarations of commands and variables:
// go test ./cmd/metrics-gate -update writes it.
func TestManualIsTheDeclaration(t *testing.T) {
	generated(t, "../../docs/metrics-gate.1", manual())
}

func manual() string {
	var b strings.Builder
	line := func(format string, args ...any) {
		for text := range strings.Lines(fmt.Sprintf(format, args...)) {
			b.WriteString(strings.TrimSpace(text) + "\n")
		}
	}
	line(`.\" Generated from the declarations: go test ./cmd/metrics-gate -update`)
	line(".TH METRICS\\-GATE 1")
	line(".SH NAME\nmetrics\\-gate \\- authenticating proxy for the metrics of GitLab Runner")
	line(".SH SYNOPSIS")
	for _, c := range commands() {
		line(".B metrics\\-gate %s\n.PP", roff(c.Synopsis()))
	}
	line(".SH DESCRIPTION")
	line("metrics\\-gate stands before the metrics listener of a GitLab Runner,\nwhich has no protection of its own.")
	line("It authenticates every request by client certificate, static token,\nOpenID Connect or Kubernetes, limits " +
		"it,\nand labels every sample of the answer with the runner's name.")
	line("It is configured by environment variables alone; secrets come from files.")
	line(".SH COMMANDS")
	for _, c := range commands() {
		line(".SS %s\n%s\n.PP\nExample:\n.B %s", roff(c.Synopsis()), roff(c.Summary), roff(c.Example))
		for _, choice := range slices.Sorted(maps.Keys(c.Args.Meanings)) {
			line(".TP\n.B %s\n%s", roff(choice), roff(c.Args.Meanings[choice]))
		}
		for _, f := range c.Flags() {
			line(".TP\n.B %s\n%s", roff(strings.TrimSpace(f.Dashed()+" "+f.Value)), roff(f.Usage))
		}
	}
	line(".SH ENVIRONMENT")
	for _, v := range config.Declared() {
		line(".TP\n.B %s", roff(v.Name))
		if v.Default != "" {
			line("Default: %s.\n.br", roff(v.Default))
		}
		line("%s", roff(v.Doc))
	}
	line(".SH IDENTITY PATTERNS\n.nf")
	for pattern := range strings.Lines(patternHelp) {
		line("%s", roff(strings.TrimSpace(pattern)))
	}
	line(".fi\n.SH SIGNALS\n.TP\n.B SIGHUP\nReload certificates, keys, lists, tokens and the runner's name at once.")
	line(".TP\n.B SIGTERM, SIGINT\nStop: close the listener, let requests in flight finish. A second one ends at once.")
	line(".SH EXIT STATUS\n0: well. 1: failed while running, or what check or doctor found. 2: configuration or " +
		"usage error.")
	line(".SH SEE ALSO\n.BR gitlab\\-runner (1),\n.BR prometheus (1)")
	return b.String()
}

// roff escapes text for a line of a manual page.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...").Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

func TestRoff(t *testing.T) {
	for in, want := range map[string]string{"a-b": `a\-b`, `\`: `\e`, ".x": `\&.x`, "'x": `\&'x`,
		"[host]:port": "[host]:port"} {
		if got := roff(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

var update = flag.Bool("update", false, "write the README's table")

// The tables of the README and of docs/variables.md are made from the declaration:
// go test ./cmd/metrics-gate -update writes them.
func TestTablesAreTheDeclaration(t *testing.T) {
	const begin, end = "<!-- variables -->\n", "<!-- end of variables -->\n"
	for path, write := range map[string]func(io.Writer){
		"../../README.md": table, "../../docs/variables.md": reference,
	} {
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		head, rest, found := strings.Cut(string(page), begin)
		_, foot, closed := strings.Cut(rest, end)
		if !found || !closed {
			t.Fatalf("%s lacks the marks of the table", path)
		}
		var want bytes.Buffer
		write(&want)
		generated(t, path, head+begin+want.String()+end+foot)
	}
}

// rules.yaml in deploy/monitoring is what the defaults print: -update writes it.
func TestRulesFileIsWhatIsPrinted(t *testing.T) {
	c := configtest.Load(t)
	generated(t, "../../deploy/monitoring/rules.yaml", manifest.Rules(c))
}

// generated compares the file at path with want, or writes it with -update.
func generated(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s is not what is printed (%v): go test ./cmd/metrics-gate -update", path, err)
	}
}
