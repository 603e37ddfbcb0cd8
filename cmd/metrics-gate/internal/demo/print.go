package demo

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/server"
)

// settingsFile is the environment file of the demo's gate, for commands in another terminal.
const settingsFile = "demo.env"

// writeSettings writes the METRICS_GATE_* variables of environ as an environment file of systemd,
// with the addresses that are bound.
func writeSettings(path string, environ []string, s *server.Server) error {
	admin := "off"
	if s.AdminAddr() != nil {
		admin = s.AdminAddr().String()
	}
	environ = append(environ, config.Prefix+"LISTEN_ADDRESS="+s.Addr().String(), config.Prefix+"ADMIN_ADDRESS="+admin)
	var text strings.Builder
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, config.Prefix) {
			fmt.Fprintf(&text, "%s=\"%s\"\n", name, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value))
		}
	}
	return os.WriteFile(path, []byte(text.String()), 0o600)
}

// printDemo shows what to try. The commands work as they stand, in any folder.
func printDemo(w io.Writer, dir, runner string, s *server.Server) error {
	file := func(name string) string { return filepath.Join(dir, name) }
	_, port, _ := net.SplitHostPort(s.Addr().String())
	url := "https://localhost:" + port + "/metrics"
	curl := "curl --silent --show-error --cacert " + file("ca.pem")
	pair := fmt.Sprintf("--cert %s --key %s", file("client.pem"), file("client-key.pem"))
	settings := "--env-file " + file(settingsFile)
	fmt.Fprintf(
		w,
		"The gate serves %s before a stand-in for a runner on %s.\nTry, in another terminal:\n",
		url,
		runner,
	)
	try := func(what, command string) { fmt.Fprintf(w, "\n  # %s\n  %s\n", what, command) }
	try("a scrape with the client certificate", curl+" "+pair+" "+url)
	try("a scrape with the token", curl+` --header "Authorization: Bearer $(cat `+file("token")+`)" `+url)
	try("no credential: 401", curl+" --include "+url)
	if s.AdminAddr() != nil {
		try("the status page, for a browser too", "curl --silent --show-error http://"+
			config.DialAddress(s.AdminAddr().String())+"/")
	}
	try("what is in effect, and whether this token may read the metrics",
		program()+" check "+settings+" --as token:prometheus")
	try("whether the surroundings are as they should be, and what to do",
		program()+" doctor "+settings+" --ca "+file("ca.pem")+" "+pair)
	_, err := fmt.Fprintf(w, "\nEverything is in %s and goes when this ends (Ctrl-C).\n", dir)
	return err
}

// program is how this program was started, for a shell in any folder.
func program() string {
	name := os.Args[0]
	if path, err := filepath.Abs(name); err == nil && filepath.Base(name) != name {
		return path
	}
	return name
}
