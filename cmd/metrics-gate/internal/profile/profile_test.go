package profile

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

// pprofOf runs metrics-gate pprof with the fixture's certificate and a folder of its own.
func pprofOf(t *testing.T, f *gatetest.Gate, args ...string) (code int, dir, said string) {
	t.Helper()
	dir = t.TempDir()
	code, said = pprofIn(t, f, []string{"PPROF_TMPDIR=" + dir}, args...)
	return code, dir, said
}

// pprofIn runs metrics-gate pprof with the fixture's certificate in an environment.
func pprofIn(t *testing.T, f *gatetest.Gate, environ []string, args ...string) (code int, said string) {
	t.Helper()
	file := func(name string) string { return filepath.Join(f.Dir, name) }
	var out, errors bytes.Buffer
	base := []string{"--ca", file("ca.pem"), "--cert", file("client.pem"), "--key", file("client-key.pem")}
	code = gatetest.Run(t.Context(), Command(), gatetest.Process(environ, &out, &errors),
		append(base, args...)...)
	return code, out.String() + errors.String()
}

func profileTarget(f *gatetest.Gate, path string) string {
	return "https://" + f.Server.Addr().String() + path
}

// profiles is a runner whose heap is big, and whose trace breaks off.
func profilesOf(t *testing.T) *gatetest.Gate {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/heap",
		func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20)) })
	mux.HandleFunc("/debug/pprof/trace", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte("half"))
		panic(http.ErrAbortHandler)
	})
	return gatetest.Start(t, mux)
}

// heapFile is the first file for a heap profile of the fixture's gate.
const heapFile = "pprof.127.0.0.1.alloc_objects.alloc_space.inuse_objects.inuse_space.001.pb.gz"

func TestPprofFetches(t *testing.T) {
	f := profilesOf(t)
	code, dir, said := pprofOf(t, f, profileTarget(f, "/debug/pprof/heap"))
	got, err := os.ReadFile(filepath.Join(dir, heapFile))
	if code != 0 || err != nil || len(got) != 1<<20 || !strings.Contains(said, heapFile+": 1048576 bytes in") {
		t.Errorf("%d %v %d bytes\n%s", code, err, len(got), said)
	}
	if code, _, said := pprofOf(t, f, "-o", "-", profileTarget(f, "/debug/pprof/heap")); code != 0 ||
		strings.Count(said, "x") < 1<<20 {
		t.Errorf("%d, %d bytes on standard output", code, len(said))
	}
	code, dir, said = pprofOf(t, f, profileTarget(f, "/debug/pprof/trace"))
	if left, err := os.ReadDir(dir); code != 1 || err != nil || len(left) > 0 {
		t.Errorf("a profile that broke off: %d, left %v %v\n%s", code, left, err, said)
	}
}

func TestPprofSaysWhatARefusalMeans(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes(""), config.Prefix+"PPROF_ALLOW=dns:nobody.example")
	if code, _, said := pprofOf(t, f, profileTarget(f, "/debug/pprof/heap")); code != 1 ||
		!strings.Contains(said, "403 Forbidden\n  not in "+config.Prefix+"PPROF_ALLOW") {
		t.Errorf("%d %s", code, said)
	}
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("mg_wrong"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, said := pprofOf(t, f, "--token-file", wrong, profileTarget(f, "/debug/pprof/heap")); code != 1 ||
		!strings.Contains(said, "does not know these credentials") || strings.Contains(said, "mg_wrong") {
		t.Errorf("%d %s", code, said)
	}
}

// No error about the URL has a password or a token.
func TestPprofHidesSecretsOfTheURL(t *testing.T) {
	for _, raw := range []string{"https://mg_pa55/metrics", "mg_pa55/metrics", "https://h/metrics?token=pa55",
		"https://user:pa55@h/heap", "ftp://mg_pa55/heap", "ftp://h?token=pa55", "https://h/%zz?a=b@c&token=pa55"} {
		_, err := profileURL(raw)
		if err == nil || strings.Contains(err.Error(), "pa55") {
			t.Errorf("%s: %v", raw, err)
		}
		o := pprofOptions{url: raw}
		if _, err = o.target([]string{raw}); err == nil || strings.Contains(err.Error(), "pa55") {
			t.Errorf("--url %s: %v", raw, err)
		}
	}
}

func TestProfileNames(t *testing.T) {
	const heap = "pprof.h.alloc_objects.alloc_space.inuse_objects.inuse_space.pb.gz"
	for target, want := range map[string]string{
		"https://h": "pprof.h.index.html", "https://h/": "pprof.h.index.html", "h/debug/pprof/": "pprof.h.index.html",
		"https://h/debug/pprof/heap": heap, "h:1/debug/pprof/allocs": heap,
		"https://h/debug/pprof/heap?debug=1":      "pprof.h.heap.txt",
		"https://h/debug/pprof/profile?seconds=5": "pprof.h.samples.cpu.pb.gz",
		"https://h/debug/pprof/mutex":             "pprof.h.contentions.delay.pb.gz",
		"https://h/debug/pprof/goroutine":         "pprof.h.goroutine.pb.gz",
		"https://h/debug/pprof/trace?seconds=1":   "pprof.h.trace.out",
		"https://h/debug/pprof/symbol":            "pprof.h.symbol.txt",
		"https://[fd00::1]/debug/pprof/cmdline":   "pprof.fd00--1.cmdline.txt",
	} {
		u, err := profileURL(target)
		if err != nil {
			t.Errorf("%s: %v", target, err)
			continue
		}
		if base, extension := profileName(u); base+extension != want {
			t.Errorf("%s: %s%s, want %s", target, base, extension, want)
		}
	}
}

func TestPprofServes(t *testing.T) {
	f := profilesOf(t)
	ctx, stop := context.WithCancel(t.Context())
	read, write := io.Pipe()
	file := func(name string) string { return filepath.Join(f.Dir, name) }
	ended := make(chan int, 1)
	go func() {
		ended <- gatetest.Run(ctx, Command(), gatetest.Process(nil, write, write), "--serve", "--ca", file("ca.pem"),
			"--cert", file("client.pem"), "--key", file("client-key.pem"), profileTarget(f, "/debug/pprof/heap"))
		_ = write.Close()
	}()
	said := make([]byte, 4096)
	n, err := read.Read(said)
	if err != nil {
		t.Fatal(err)
	}
	local := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(string(said[:n]))
	go func() { _, _ = io.Copy(io.Discard, read) }()
	ask := func(method, path, host string) (int, int) {
		t.Helper()
		r, err := http.NewRequest(method, local+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		r.Header.Set("Authorization", "Bearer of-the-client")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		body, _ := io.ReadAll(response.Body)
		return response.StatusCode, len(body)
	}
	if status, size := ask("GET", "/debug/pprof/heap", ""); status != 200 || size != 1<<20 {
		t.Errorf("%d, %d bytes", status, size)
	}
	for _, test := range []struct {
		method, path, host string
		status             int
	}{
		{"GET", "/metrics", "", 404}, {"DELETE", "/debug/pprof/heap", "", 404}, {"POST", "/debug/pprof/heap", "", 404},
		{"GET", "/debug/pprof/heap", "evil.example", 403},
	} {
		if status, _ := ask(test.method, test.path, test.host); status != test.status {
			t.Errorf("%+v: %d", test, status)
		}
	}
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestProgress(t *testing.T) {
	var out testwait.Buffer
	p := startProgress(&out, time.Millisecond)
	if _, err := io.Copy(io.Discard, p.count(strings.NewReader("12345"))); err != nil {
		t.Fatal(err)
	}
	testwait.Eventually(t, "line of progress", func() bool { return strings.Contains(out.String(), ", 5 bytes\n") })
	p.stop("done")
	p.stop("twice")
	if !strings.HasSuffix(out.String(), "done\n") {
		t.Error(out.String())
	}
}

// A profile never overwrites a file: it gets the next number, and a name that was asked for is refused.
func TestProfilesKeepFiles(t *testing.T) {
	f := profilesOf(t)
	target := profileTarget(f, "/debug/pprof/heap")
	home := t.TempDir()
	for _, number := range []string{"001", "002", "003"} {
		name := filepath.Join(home, "pprof", strings.Replace(heapFile, "001", number, 1))
		if number == "002" { // somebody else's
			if err := os.WriteFile(name, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		code, said := pprofIn(t, f, []string{"HOME=" + home}, target)
		if content, err := os.ReadFile(name); code != 0 || err != nil || len(content) != 1<<20 {
			t.Errorf("%s: %d %v\n%s", name, code, err, said)
		}
		if content, err := os.ReadFile(name); number == "003" && (err != nil || string(content) == "precious") {
			t.Errorf("%s: %v", name, err)
		}
	}
	taken := filepath.Join(home, "taken")
	if err := os.WriteFile(taken, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, said := pprofIn(t, f, nil, "-o", taken, target); code != 1 ||
		!strings.Contains(said, "file exists\n  name") {
		t.Errorf("%d %s", code, said)
	}
	if content, err := os.ReadFile(taken); err != nil || string(content) != "precious" {
		t.Errorf("%q %v", content, err)
	}
	asked := f.Hits.Load()
	for name, want := range map[string]string{taken: "does not exist", filepath.Join(home, "none", "x"): "its folder"} {
		if code, said := pprofIn(t, f, nil, "-o", name, target); code != 1 || !strings.Contains(said, want) ||
			f.Hits.Load() != asked {
			t.Errorf("%s: %d %s, %d requests, want none", name, code, said, f.Hits.Load()-asked)
		}
	}
}

// A runner that answers 404 lacks the profile; its address is right.
func TestPprofOfAProfileThatTheRunnerLacks(t *testing.T) {
	f := profilesOf(t)
	if code, said := pprofIn(t, f, nil, "-o", "-", profileTarget(f, "/debug/pprof/goroutine")); code != 1 {
		t.Errorf("%d %s", code, said)
	}
	if log := f.WaitFor(t, 0, "profile failed"); strings.Contains(log, "UPSTREAM_URL") ||
		!strings.Contains(log, "the runner serves no such profile") {
		t.Error(log)
	}
}

// The query of a good URL may hold a token.
func TestPprofHidesTheQuery(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes(""))
	for _, target := range []string{
		"https://127.0.0.1:9/debug/pprof/heap?token=pa55", "https://127.0.0.1:9/?token=pa55",
		profileTarget(f, "/debug/pprof/nothing?token=pa55"),
		"http://" + f.Server.Addr().String() + "/debug/pprof/heap?token=pa55",
	} {
		if code, _, said := pprofOf(t, f, target); code == 0 || strings.Contains(said, "pa55") {
			t.Errorf("%d %s", code, said)
		}
	}
}
