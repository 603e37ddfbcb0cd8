package manifest

import (
	"flag"
	"fmt"
	"net"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// flagsOf are the flags that change what is printed of kind, about c. The flags of settings are
// not among them.
func flagsOf(kind string, c *config.Config) string {
	files := "server-name ca " + map[way]string{
		byCertificate: "cert key", byToken: "token-file", byServiceAccount: "token-file",
		byOAuth2: "client-id client-secret-file token-url",
	}[scraper(c)]
	monitor := "namespace labels " + map[way]string{
		byCertificate: "server-name secret ", byToken: "server-name secret ",
		byOAuth2: "server-name secret token-url ",
	}[scraper(c)]
	return map[string]string{
		"scrape-config":  "target " + files,
		"kubernetes_sd":  "runner-namespace selector " + files,
		"podmonitor":     monitor + "runner-namespace selector",
		"servicemonitor": monitor + "runner-namespace selector",
		"scrapeconfig":   monitor + "target",
		"networkpolicy":  "namespace prometheus-selector runner-namespace selector",
		"helm-values":    monitor + "prometheus-selector release image",
		"systemd":        "binary",
		"prometheusrule": "namespace labels",
	}[kind]
}

// warnings are comments about flags of set that do nothing, or not what was meant; empty: none.
func (o options) warnings(kind string, c *config.Config, set *flag.FlagSet) string {
	var b strings.Builder
	warn := func(what, wrong string) { fmt.Fprintf(&b, "# Warning: %s: %s.\n", what, wrong) }
	fromSettings := flag.NewFlagSet("", flag.ContinueOnError)
	o.settings.RegisterFlags(fromSettings)
	known := map[string]bool{}
	for name := range strings.FieldsSeq(flagsOf(kind, c)) {
		known[name] = true
	}
	set.Visit(func(f *flag.Flag) {
		if !known[f.Name] && fromSettings.Lookup(f.Name) == nil {
			warn("--"+f.Name, "not used, "+kind+" of these settings has no place for it")
		}
	})
	leaf := client.Leaf(c.TLS.CertFile)
	if o.ServerName != "" && known["server-name"] && leaf != nil && leaf.VerifyHostname(o.ServerName) != nil {
		warn("--server-name "+cli.Printable(o.ServerName), "not a name of the certificate in TLS_CERT_FILE")
	}
	_, runner, _ := net.SplitHostPort(c.Upstream.URL.Address.String())
	for _, target := range o.Targets {
		if _, its, _ := net.SplitHostPort(target); known["target"] && its == runner && its != port(c) {
			warn("--target "+cli.Printable(target), "the runner's port; the gate's is "+port(c))
		}
	}
	return b.String()
}
