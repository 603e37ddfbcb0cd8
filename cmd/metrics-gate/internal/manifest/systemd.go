package manifest

import (
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// systemdUnit is a unit that serves the present configuration, for systemd 252 and
// newer. Nothing secret is in it: secrets are in files.
func systemdUnit(c *config.Config, o printOptions) string {
	var b strings.Builder
	fields(&b, 0,
		"[Unit]", "Description=Authenticating proxy for the metrics of GitLab Runner",
		"Wants=network-online.target gitlab-runner.service", "After=network-online.target gitlab-runner.service", "",
		"[Service]", "Type=notify", "ExecStart="+unitWord(o.binary), "ExecReload=/bin/kill -HUP $MAINPID")
	for _, v := range c.Variables() {
		if value := v.String(); value != "" && !v.IsDefault() {
			fields(&b, 0, "Environment="+unitWord(v.Name+"="+value))
		}
	}
	fields(&b, 0,
		"User=metrics-gate", "Group=metrics-gate", "Restart=always", "RestartSec=2", "WatchdogSec=30",
		"TimeoutStopSec="+unitSeconds(c), "",
		"CapabilityBoundingSet="+capability(c), "AmbientCapabilities="+capability(c), "NoNewPrivileges=yes",
		"ProtectSystem=strict",
		"ProtectHome=yes", "PrivateTmp=yes", "PrivateDevices=yes", "ProtectProc=invisible", "ProcSubset=pid",
		"ProtectKernelTunables=yes", "ProtectKernelModules=yes", "ProtectKernelLogs=yes", "ProtectControlGroups=yes",
		"ProtectClock=yes", "ProtectHostname=yes", "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
		"RestrictNamespaces=yes", "RestrictRealtime=yes", "RestrictSUIDSGID=yes", "LockPersonality=yes",
		"MemoryDenyWriteExecute=yes", "RemoveIPC=yes", "UMask=0077", "SystemCallArchitectures=native",
		"SystemCallFilter=@system-service", "SystemCallFilter=~@privileged @resources", "SystemCallErrorNumber=EPERM",
		"",
		"[Install]", "WantedBy=multi-user.target")
	return b.String()
}

// capability is what the public port needs.
func capability(c *config.Config) string {
	if c.Listen.Address.Port < 1024 {
		return "CAP_NET_BIND_SERVICE"
	}
	return ""
}

// unitSeconds is how long a stop may take: lingering, draining, and a little more.
func unitSeconds(c *config.Config) string {
	return promDuration((c.Process.Linger + c.Process.DrainTimeout + 5e9).Round(1e9))
}

// unitWord quotes s for a systemd unit (systemd.syntax(7)), with specifiers escaped.
func unitWord(s string) string {
	s = strings.ReplaceAll(s, "%", "%%")
	if !strings.ContainsAny(s, " \t\"'\\;$\n") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(s) + `"`
}
