package deploy

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"howett.net/plist"
)

// job is what launchd reads of a property list, as far as ours has it (launchd.plist(5)).
type job struct {
	Label, UserName, GroupName, StandardErrorPath string
	ProgramArguments                              []string
	RunAtLoad, KeepAlive                          bool
	Umask, ThrottleInterval, ExitTimeOut          int
	HardResourceLimits, SoftResourceLimits        map[string]int
	EnvironmentVariables                          map[string]string
}

// TestLaunchd: the property list parses, has keys that launchd knows, and settings that the
// binary takes as soon as somebody is named.
func TestLaunchd(t *testing.T) {
	text := []byte(read(t, source("deploy/launchd/com.metrics-gate.plist")))
	var j job
	if _, err := plist.Unmarshal(text, &j); err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if _, err := plist.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	known := []string{
		"EnvironmentVariables", "ExitTimeOut", "GroupName", "HardResourceLimits", "KeepAlive", "Label",
		"ProgramArguments", "RunAtLoad", "SoftResourceLimits", "StandardErrorPath",
		"ThrottleInterval", "Umask", "UserName",
	}
	if got := slices.Sorted(maps.Keys(keys)); !slices.Equal(got, known) {
		t.Errorf("keys %q, not %q", got, known)
	}
	core, limited := j.HardResourceLimits["Core"]
	if j.Label != "com.metrics-gate" || j.UserName == "root" || j.Umask != 0o077 || !j.KeepAlive || core != 0 ||
		!limited {
		t.Errorf("%+v", j)
	}
	if r := runCheck(t, j.EnvironmentVariables); r.code == 0 ||
		!strings.Contains(r.stderr, "nobody may read /metrics") {
		t.Errorf("as shipped somebody is let in: exit %d %s", r.code, r.stderr)
	}
	j.EnvironmentVariables["METRICS_GATE_METRICS_ALLOW"] = "dns:prometheus.example.com"
	checkEnviron(t, j.EnvironmentVariables)
}

// TestRCScript: the script for FreeBSD is good for a shell, and asks rc.subr for what it has.
func TestRCScript(t *testing.T) {
	path := source("deploy/freebsd/metrics_gate")
	for _, shell := range []string{"sh", "bash"} {
		good(t, shell, "-n", path)
	}
	text := read(t, path)
	for _, want := range []string{
		"# PROVIDE: metrics_gate", ". /etc/rc.subr", "restart_precmd=metrics_gate_check", `run_rc_command "$1"`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("%q is missing", want)
		}
	}
}

// TestRCScriptRuns: with a stand-in for rc.subr a start checks the settings first, then has
// daemon(8) run the gate as its user.
func TestRCScriptRuns(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/rc.subr", `load_rc_config() { :; }
run_rc_command() { $start_precmd && echo "$command $command_args"; }
`, 0o644)
	write(t, dir+"/gate", "#!/bin/sh\necho \"$1 $METRICS_GATE_RUNNER_NAME\" >> "+dir+"/asked\n", 0o755)
	write(t, dir+"/env", "METRICS_GATE_RUNNER_NAME=build-01\n", 0o644)
	script := strings.NewReplacer("/etc/rc.subr", dir+"/rc.subr",
		"gate=/usr/local/bin/metrics-gate", "gate="+dir+"/gate",
		"/usr/local/etc/metrics-gate/metrics-gate.env", dir+"/env").
		Replace(read(t, source("deploy/freebsd/metrics_gate")))
	write(t, dir+"/metrics_gate", script, 0o755)
	out := good(t, "sh", dir+"/metrics_gate", "start")
	if want := "-u metrics_gate " + dir + "/gate\n"; !strings.HasPrefix(out, "/usr/sbin/daemon -c -f") ||
		!strings.HasSuffix(out, want) {
		t.Errorf("runs %q", out)
	}
	if asked := read(t, dir+"/asked"); asked != "check build-01\n" {
		t.Errorf("the gate was asked %q", asked)
	}
}
