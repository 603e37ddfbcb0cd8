package manifest

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// systemdUnit is a unit that serves the present configuration, for systemd 252 and newer.
// It is deploy/systemd/metrics-gate.service without the socket: the settings name the
// address. Nothing secret is in it: secrets are in files.
func systemdUnit(c *config.Config, o options) (string, error) {
	var b strings.Builder
	b.WriteString(unseenFiles(c, o))
	write := func(lines ...string) { b.WriteString(strings.Join(lines, "\n") + "\n") }
	write(
		"[Unit]", "Description=Authenticating proxy for GitLab Runner's metrics", "Documentation=man:metrics-gate(8)",
		"Wants=network-online.target gitlab-runner.service", "After=network-online.target gitlab-runner.service",
		"StartLimitIntervalSec=0", "",
		"[Service]", "Type=notify", "ExecStart="+unitWord(o.Binary),
		"# A bad setting or file fails the reload, and the running gate keeps what it has.",
		"ExecReload="+unitWord(o.Binary)+" check", "ExecReload=/bin/kill -HUP $MAINPID")
	for _, v := range c.Variables() {
		if value := v.String(); value != "" && !v.IsDefault() {
			write("Environment=" + unitWord(v.Name+"="+value))
		}
	}
	write(
		"Environment=GOMEMLIMIT=102MiB", "User=metrics-gate", "Group=metrics-gate", "Restart=always", "RestartSec=2s",
		"WatchdogSec=30s", "KillMode=mixed", "TimeoutStopSec="+unitSeconds(c), "")
	write(sandbox(capability(c))...)
	write("", "[Install]", "WantedBy=multi-user.target")
	return b.String(), nil
}

// sandbox is what the unit may not do. It has no list of addresses: those of scrapers and
// issuers are not known here. With a capability the unit needs the users of the host.
func sandbox(capability string) []string {
	lines := []string{
		"NoNewPrivileges=yes", "CapabilityBoundingSet=" + capability, "AmbientCapabilities=" + capability,
		"ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "PrivateMounts=yes", "PrivateDevices=yes",
		"DevicePolicy=closed", "PrivateIPC=yes", "ProtectProc=invisible", "ProcSubset=pid", "ProtectClock=yes",
		"ProtectHostname=yes", "ProtectControlGroups=yes", "ProtectKernelLogs=yes", "ProtectKernelModules=yes",
		"ProtectKernelTunables=yes", "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX", "RestrictNamespaces=yes",
		"RestrictRealtime=yes", "RestrictSUIDSGID=yes", "LockPersonality=yes", "MemoryDenyWriteExecute=yes",
		"RemoveIPC=yes", "KeyringMode=private", "UMask=0077", "SystemCallArchitectures=native",
		"SystemCallFilter=@system-service", "SystemCallFilter=~@privileged @resources", "SystemCallErrorNumber=EPERM",
		"LimitNOFILE=4096",
		"# No core dump: it would hold keys and tokens.", "LimitCORE=0", "TasksMax=64", "MemoryMax=128M",
	}
	if capability == "" {
		lines = append(lines, "PrivateUsers=yes")
	}
	return lines
}

// unseenFiles warns about files of c that the sandbox hides from the unit, and about paths that
// the unit takes from its own directory, which is /.
func unseenFiles(c *config.Config, o options) string {
	hidden := map[string]string{
		"/home/": "ProtectHome", "/root/": "ProtectHome", "/run/user/": "ProtectHome",
		"/tmp/": "PrivateTmp", "/var/tmp/": "PrivateTmp", "/dev/": "PrivateDevices",
	}
	var b strings.Builder
	warn := func(what, path string) {
		if !strings.HasPrefix(path, "/") {
			fmt.Fprintf(&b, "# Warning: %s %s: the unit looks for it in /. Write the whole path.\n", what,
				cli.Printable(path))
		}
		for folder, setting := range hidden {
			if strings.HasPrefix(filepath.Clean(path), folder) {
				fmt.Fprintf(
					&b,
					"# Warning: %s %s: the unit does not see files in %s (%s). Move it, to /etc/metrics-gate "+
						"for example.\n",
					what,
					cli.Printable(path),
					folder,
					setting,
				)
			}
		}
	}
	warn("--binary", o.Binary)
	for _, v := range c.Variables() {
		if v.Read != "" && v.String() != "" && !v.IsDefault() {
			warn(v.Name, v.String())
		}
	}
	return b.String()
}

// capability is what the public port needs.
func capability(c *config.Config) string {
	if c.Listen.Address.Port < 1024 {
		return "CAP_NET_BIND_SERVICE"
	}
	return ""
}

// unitSeconds is how long a stop may take: lingering, draining, and a margin.
func unitSeconds(c *config.Config) string {
	stop := (c.Process.Linger + c.Process.DrainTimeout + 15*time.Second).Round(time.Second)
	return strconv.FormatFloat(stop.Seconds(), 'f', 0, 64) + "s"
}

// unitWord quotes s for a systemd unit (systemd.syntax(7)), with specifiers escaped.
func unitWord(s string) string {
	s = strings.ReplaceAll(s, "%", "%%")
	if !strings.ContainsAny(s, " \t\"'\\;$\n") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(s) + `"`
}
