package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/metrics-gate/metrics-gate/"

// floors lists every package with the packages of the module it may import. A package
// stands below all that import it, so every arrow falls (ARCHITECTURE.md).
func floors() [][2]string {
	const rooms = "cmd/metrics-gate/internal/"
	list := [][2]string{
		{"proxy/testwait", ""},
		{"proxy/sockerr", ""},
		{"tlsconf/safefile", ""},
		{"tlsconf/testca", ""},
		{"tlsconf", "tlsconf/safefile"},
		{"auth", "tlsconf/safefile"},
		{"proxy/exposition", ""},
		{"proxy/fastpath", ""},
		{"proxy/rawconn", ""},
		{"proxy/internal/freelist", ""},
		{"proxy/internal/proxytest", ""},
		{"proxy/upstream", "proxy/sockerr proxy/rawconn"},
		{"proxy", "proxy/upstream"},
		{"proxy/scrape", "proxy proxy/exposition proxy/internal/freelist proxy/rawconn proxy/upstream"},
		{"proxy/profile", "proxy proxy/upstream"},
		{"~cli", "auth"},
		{"~demofiles", "auth tlsconf/testca"},
		{"~config", "auth ~cli proxy/exposition proxy/upstream tlsconf/safefile"},
		{"~settings", "~cli ~config tlsconf/safefile"},
		{"~configtest", "~config ~demofiles"},
		{"~filewatch", ""},
		{"~loopback", ""},
		{"~expiry", "~cli tlsconf"},
		{"~client", "~cli ~config ~loopback proxy/sockerr tlsconf tlsconf/safefile"},
		{"~connlimit", "proxy/fastpath proxy/rawconn"},
		{"~gate", "auth ~cli ~config ~connlimit ~filewatch proxy proxy/exposition proxy/profile proxy/scrape " +
			"proxy/upstream tlsconf"},
		{"~status", "~cli ~config ~expiry ~loopback proxy proxy/upstream"},
		{"~server", "auth ~cli ~config ~connlimit ~expiry ~gate ~loopback ~status proxy/sockerr proxy " +
			"proxy/fastpath proxy/rawconn tlsconf"},
		{"~gatetest", "~cli ~config ~demofiles ~server proxy/testwait"},
		{"~winservice", "~cli ~config ~server ~settings"},
		{"~demo", "~cli ~config ~demofiles ~server"},
		{"~check", "auth ~cli ~config ~expiry ~gate ~settings proxy/profile"},
		{"~promdoctor", "~cli ~client ~loopback tlsconf/safefile"},
		{"~doctor", "auth ~cli ~client ~config ~expiry ~gate ~promdoctor ~settings ~status " +
			"proxy/sockerr proxy proxy/exposition proxy/upstream tlsconf tlsconf/safefile"},
		{"~manifest", "auth ~cli ~client ~config ~settings"},
		{"~profile", "~cli ~client ~config ~loopback proxy"},
		{"cmd/metrics-gate", "auth ~cli ~config ~gate ~settings ~server ~check ~doctor ~manifest ~profile ~demo " +
			"~winservice proxy/sockerr"},
	}
	for i, floor := range list {
		list[i][0] = strings.Replace(floor[0], "~", rooms, 1)
		list[i][1] = strings.ReplaceAll(floor[1], "~", rooms)
	}
	return list
}

func TestImportsFall(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	imports := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		imports[strings.TrimPrefix(fields[0], module)] = fields[1:]
	}
	var below []string
	for _, floor := range floors() {
		name, allowed := floor[0], strings.Fields(floor[1])
		for _, lower := range allowed {
			if !slices.Contains(below, lower) {
				t.Errorf("%s may import %s, which is not below it", name, lower)
			}
		}
		found, exists := imports[name]
		if !exists {
			t.Errorf("%s does not exist", name)
		}
		checkImports(t, name, found, allowed)
		below = append(below, name)
		delete(imports, name)
	}
	for name := range imports {
		t.Errorf("%s stands on no floor", name)
	}
}

// checkImports compares what a package imports with what it may.
func checkImports(t *testing.T, name string, found, allowed []string) {
	t.Helper()
	for _, imported := range found {
		switch imported {
		case "github.com/go-chi/chi/v5/middleware", "net/http/pprof", "expvar":
			t.Errorf("%s imports %s, which registers on the default mux", name, imported)
		}
		if local, ours := strings.CutPrefix(imported, module); ours && !slices.Contains(allowed, local) {
			t.Errorf("%s imports %s", name, local)
		}
	}
	for _, local := range allowed {
		if !slices.Contains(found, module+local) && strings.HasPrefix(name, "cmd/") {
			t.Errorf("%s may import %s and does not", name, local)
		}
	}
}
