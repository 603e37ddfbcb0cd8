package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed testdata
var testdata embed.FS

// target is a proxy that can be measured.
type target struct {
	name      string
	labels    bool // every sample of its answer has the label
	sameBytes bool // its runner adds the label: it passes on as many bytes as the gate sends
	start     func(ctx context.Context, s site) (*process, error)
}

// site holds the addresses and files of a proxy.
type site struct {
	Dir, Listen, Upstream string
	environ               []string // additional variables of the gate
}

// gateTarget returns a built gate as target. spec is [name=]path[,VARIABLE=value...].
func gateTarget(spec string) target {
	parts := strings.Split(spec, ",")
	name, path, ok := strings.Cut(parts[0], "=")
	if !ok {
		name, path = "gate", parts[0]
	}
	return target{name: name, labels: true, start: func(ctx context.Context, s site) (*process, error) {
		environ := append(gateEnviron(s), s.environ...)
		return s.spawn(ctx, name, append(environ, parts[1:]...), path)
	}}
}

// gateEnviron raises the limits that the benchmark would reach. The rest is the default.
func gateEnviron(s site) []string {
	const prefix = "METRICS_GATE_"
	file := func(name string) string { return filepath.Join(s.Dir, name) }
	return []string{
		prefix + "LISTEN_ADDRESS=" + s.Listen,
		prefix + "UPSTREAM_URL=http://" + s.Upstream,
		prefix + "ADMIN_ADDRESS=off",
		prefix + "RUNNER_NAME=" + runnerName,
		prefix + "TLS_CERT_FILE=" + file("server.pem"),
		prefix + "TLS_KEY_FILE=" + file("server-key.pem"),
		prefix + "TLS_CLIENT_CA_FILE=" + file("ca.pem"),
		prefix + "METRICS_ALLOW=dns:" + clientName + ",token:bench,user:bench",
		prefix + "RATE_LIMIT=1000000", prefix + "RATE_BURST=1000000",
		prefix + "UPSTREAM_MAX_BYTES=1073741824", prefix + "UPSTREAM_TIMEOUT=60s",
	}
}

// otherTarget returns a program of -other as target.
func otherTarget(spec string) target {
	parts := strings.Split(spec, ",")
	name, path, _ := strings.Cut(parts[0], "=")
	return target{name: name, start: func(ctx context.Context, s site) (*process, error) {
		return s.spawn(ctx, name, parts[1:], path, s.Dir, s.Listen, s.Upstream)
	}}
}

// reverseName is the name of the standard library's proxy.
const reverseName = "ReverseProxy"

func reverseTarget() target {
	return target{name: reverseName, start: func(ctx context.Context, s site) (*process, error) {
		path, err := os.Executable()
		if err != nil {
			return nil, err
		}
		return s.spawn(ctx, reverseName, os.Environ(), path, "-role", "reverse", s.Dir, s.Listen, s.Upstream)
	}}
}

func nginxTarget() target {
	return target{name: baseline, start: func(ctx context.Context, s site) (*process, error) {
		path, err := configured(s, "nginx.conf")
		if err != nil {
			return nil, err
		}
		return s.spawn(ctx, "nginx", nil, program("nginx"), "-e", "stderr", "-p", s.Dir, "-c", path)
	}}
}

// sameBytes is the name of nginx with a runner that serves labelled samples. The gate's
// answer is longer than that of plain nginx and as long as this one's.
const sameBytes = baseline + " (same bytes)"

func sameBytesTarget() target {
	t := nginxTarget()
	t.name, t.labels, t.sameBytes = sameBytes, true, true
	return t
}

func haproxyTarget() target {
	return target{name: "haproxy", start: func(ctx context.Context, s site) (*process, error) {
		path, err := configured(s, "haproxy.cfg")
		if err != nil {
			return nil, err
		}
		return s.spawn(ctx, "haproxy", nil, program("haproxy"), "-db", "-q", "-f", path)
	}}
}

// configured writes the configuration from testdata for s.
func configured(s site, name string) (string, error) {
	t, err := template.ParseFS(testdata, "testdata/"+name)
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	if err := t.Execute(&text, s); err != nil {
		return "", err
	}
	path := filepath.Join(s.Dir, strings.ReplaceAll(s.Listen, ":", "-")+"-"+name)
	return path, os.WriteFile(path, text.Bytes(), 0o600)
}

// program finds a program, in /usr/sbin too.
func program(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	return "/usr/sbin/" + name
}

// installed returns nginx and haproxy if they are installed, and a line about each that
// is not.
func installed() (list []target, missing []string) {
	for _, t := range []target{nginxTarget(), haproxyTarget()} {
		if _, err := os.Stat(program(t.name)); err != nil {
			missing = append(missing, fmt.Sprintf("%s is not installed: apt-get install %s", t.name, t.name))
			continue
		}
		list = append(list, t)
		if t.name == baseline {
			list = append(list, sameBytesTarget())
		}
	}
	return list, missing
}
