package main

import (
	"os/exec"
	"strings"
	"testing"
)

// One root, three leaves that do not know each other (ARCHITECTURE.md).
func TestImportRule(t *testing.T) {
	const module = "github.com/metrics-gate/metrics-gate/"
	may := map[string][]string{
		"auth": {"tlsconf/safefile"}, "tlsconf": {"tlsconf/safefile"}, "tlsconf/safefile": nil, "tlsconf/testca": nil,
		"proxy/exposition": nil, "proxy/fastpath": nil, "proxy/rawconn": nil,
		"proxy/internal/freelist": nil, "proxy/internal/proxytest": nil,
		"proxy/upstream": {"proxy/rawconn"},
		"proxy":          {"proxy/upstream"},
		"proxy/scrape":   {"proxy", "proxy/exposition", "proxy/internal/freelist", "proxy/upstream"},
		"proxy/profile":  {"proxy", "proxy/upstream"},
		"cmd/metrics-gate": {
			"auth", "tlsconf", "tlsconf/safefile", "tlsconf/testca", "proxy", "proxy/exposition", "proxy/fastpath", "proxy/profile",
			"proxy/rawconn", "proxy/scrape", "proxy/upstream",
		},
	}
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		name := strings.TrimPrefix(fields[0], module)
		allowed, known := may[name]
		if !known {
			t.Errorf("%s is not in the picture", name)
			continue
		}
		seen++
		for _, imported := range fields[1:] {
			if imported == "github.com/go-chi/chi/v5/middleware" || imported == "net/http/pprof" || imported == "expvar" {
				t.Errorf("%s imports %s, which registers on the default mux", name, imported)
			}
			local, ours := strings.CutPrefix(imported, module)
			if ours && !strings.Contains(" "+strings.Join(allowed, " ")+" ", " "+local+" ") {
				t.Errorf("%s imports %s", name, local)
			}
		}
	}
	if seen != len(may) {
		t.Errorf("%d packages of %d seen", seen, len(may))
	}
}
