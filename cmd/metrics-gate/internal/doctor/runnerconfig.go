package doctor

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

// thisHost is the machine that doctor runs on.
func thisHost(environ []string) host {
	h := host{
		proc:      "/proc",
		uid:       os.Geteuid(),
		toml:      []string{"/etc/gitlab-runner/config.toml"},
		environ:   []string{"/etc/sysconfig/gitlab-runner", "/etc/default/gitlab-runner"},
		addresses: localAddresses,
	}
	for _, entry := range environ {
		switch name, value, _ := strings.Cut(entry, "="); name {
		case "CONFIG_FILE":
			h.toml = append([]string{value}, h.toml...)
		case "HOME":
			h.toml = append(h.toml, filepath.Join(value, ".gitlab-runner", "config.toml"))
		}
	}
	return h
}

// listenAddressOf finds the global listen_address of a config.toml: before the first table.
func listenAddressOf(toml string) (string, bool) {
	key := regexp.MustCompile(`^\s*listen_address\s*=\s*["']([^"']*)["']`)
	for line := range strings.Lines(toml) {
		if strings.HasPrefix(strings.TrimSpace(line), "[") {
			return "", false
		}
		if m := key.FindStringSubmatch(line); m != nil {
			return m[1], true
		}
	}
	return "", false
}

// environmentAddress finds LISTEN_ADDRESS in a file of NAME=value lines, or of those
// that a zero byte ends, as /proc has them.
func environmentAddress(text string) (string, bool) {
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == 0 }) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "export ")
		if value, found := strings.CutPrefix(line, "LISTEN_ADDRESS="); found {
			return strings.Trim(value, `"'`), true
		}
	}
	return "", false
}

// runnerConfig looks at what the runner is told about its listener, in the files that
// this user may read. LISTEN_ADDRESS wins over config.toml.
func (d *doctor) runnerConfig() []cli.Finding {
	environment := d.listenFindings("LISTEN_ADDRESS", append(d.host.environ, d.processEnvirons()...),
		environmentAddress)
	toml := d.listenFindings("listen_address", d.host.toml, listenAddressOf)
	if cli.Worst(environment) == cli.LevelOK && len(environment) > 0 {
		for i := range toml {
			if toml[i].Level != cli.LevelOK {
				toml[i] = cli.OK("%s; LISTEN_ADDRESS wins over it", toml[i].What)
			}
		}
	}
	return append(environment, toml...)
}

// listenFindings judges what find finds in the files at paths.
func (d *doctor) listenFindings(key string, paths []string, find func(string) (string, bool)) []cli.Finding {
	var found []cli.Finding
	for _, path := range paths {
		text, err := safefile.Read(path, safefile.Rule{MaxBytes: 16 << 20, Public: true})
		if errors.Is(err, fs.ErrPermission) {
			found = append(found, cli.Warn("run doctor as root to have it read",
				"runner's configuration %s: not readable", path))
		}
		if address, set := find(string(text)); err == nil && set {
			found = append(found, d.judge(path, key, address))
		}
	}
	return found
}

// processEnvirons are the environments of the processes on the runner's port.
func (d *doctor) processEnvirons() []string {
	var list []string
	for _, s := range d.host.listeners(d.runnerPort()) {
		if _, pid := d.host.owner(s); pid != "" {
			list = append(list, filepath.Join(d.host.proc, pid, "environ"))
		}
	}
	return list
}

// judge says whether address binds loopback, at the port that the gate asks.
func (d *doctor) judge(path, key, address string) cli.Finding {
	do := `write ` + key + ` = "` + d.upstream() + `" and restart the runner`
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = address, "9252"
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host != "localhost" && (err != nil || !ip.IsLoopback()):
		return cli.Fail(do, "runner's configuration %s: %s is %q, which is not loopback", path, key, address)
	case port != d.runnerPort():
		return cli.Warn("set "+config.Prefix+"UPSTREAM_URL=http://127.0.0.1:"+port+", or change it there",
			"runner's configuration %s: %s is %q, and the gate asks port %s", path, key, address, d.runnerPort())
	}
	return cli.OK("runner's configuration %s: %s is %q", path, key, address)
}
