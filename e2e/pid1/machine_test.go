package pid1

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

// The test binary has three roles besides the tests, chosen by this variable of its environment.
const role = "PID1_ROLE"

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "init":
		err = become(os.Getenv("PID1_SHARE"))
	case "runner":
		err = serveRunner()
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// serveRunner stands in for gitlab-runner: without LISTEN_ADDRESS it listens on all addresses.
func serveRunner() error {
	address := os.Getenv("LISTEN_ADDRESS")
	if address == "" {
		address = ":9252"
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = io.WriteString(
			w,
			"# TYPE gitlab_runner_version_info gauge\ngitlab_runner_version_info{version=\"19.3.0\"} 1\n",
		)
	})
	return http.ListenAndServe(address, mux)
}

// machine is a host: systemd and all it runs.
type machine struct {
	pid   int    // of systemd, outside
	share string // /share inside
}

// boot starts a machine, waits until systemd has started everything, and stops it with the test.
func boot(t *testing.T) *machine {
	t.Helper()
	m := &machine{share: t.TempDir()}
	if err := os.Chmod(m.share, 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	m.write(t, "stand-in", string(self), 0o755)
	cgroup := newCgroup(t)
	var said testwait.Buffer
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{role + "=init", "PID1_SHARE=" + m.share}
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWUTS | unix.CLONE_NEWIPC, UseCgroupFD: true, CgroupFD: int(cgroup.Fd()),
	}
	harness.StartMachine(t, cmd)
	m.pid = cmd.Process.Pid
	err = harness.Poll(time.Minute, func() error {
		state, err := m.try("systemctl is-system-running --wait")
		if state = strings.TrimSpace(state); state == "running" || state == "degraded" {
			return nil
		}
		return fmt.Errorf("state %q: %w", state, err)
	})
	if err != nil {
		t.Fatalf("the machine did not boot: %v: %s", err, said.String())
	}
	return m
}

// cgroupPrefix begins the name of a machine's cgroup. The id of the test's process follows.
const cgroupPrefix = "metrics-gate-pid1-"

// removeLeftovers removes the cgroups of tests that were killed before they could do it.
func removeLeftovers(parent string) {
	found, _ := filepath.Glob(filepath.Join(parent, cgroupPrefix+"*"))
	for _, path := range found {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), cgroupPrefix), "-")
		if _, err := os.Stat("/proc/" + pid); errors.Is(err, os.ErrNotExist) {
			_ = removeCgroup(path)
		}
	}
}

// newCgroup makes a cgroup for a machine. It is removed, with those that systemd made in it,
// when the test ends.
func newCgroup(t *testing.T) *os.File {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); f[2] == "cgroup2" {
			removeLeftovers(f[1])
			path, err := os.MkdirTemp(f[1], fmt.Sprintf("%s%d-", cgroupPrefix, os.Getpid()))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				// The kernel may still be removing the last processes.
				if err := harness.Poll(10*time.Second, func() error { return removeCgroup(path) }); err != nil {
					t.Errorf("cgroup: %v", err)
				}
			})
			dir, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = dir.Close() })
			return dir
		}
	}
	t.Fatal("no cgroup2 file system is mounted: systemd cannot run as PID 1")
	return nil
}

// removeCgroup removes a tree of cgroups without processes.
func removeCgroup(path string) error {
	children, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, child := range children {
		if child.IsDir() {
			if err := removeCgroup(filepath.Join(path, child.Name())); err != nil {
				return err
			}
		}
	}
	return os.Remove(path)
}

// try runs a script in the machine as root, in /share, and returns all that it prints.
func (m *machine) try(script string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(
		ctx,
		"nsenter",
		"-t",
		strconv.Itoa(m.pid),
		"-m",
		"-u",
		"-i",
		"-n",
		"-p",
		"-C",
		"-r",
		"-w",
		"env",
		"-i",
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/root",
		"LC_ALL=C.UTF-8",
		"SYSTEMD_PAGER=cat",
		"SYSTEMD_COLORS=0",
		"bash",
		"-ec",
		"cd /share\n"+script,
	)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// run is try that must succeed.
func (m *machine) run(t *testing.T, script string) string {
	t.Helper()
	out, err := m.try(script)
	if err != nil {
		journal, _ := m.try("journalctl -q -n 40 --no-hostname")
		t.Fatalf("%s\n%v\n%s\njournal:\n%s", script, err, out, journal)
	}
	return out
}

// write puts a file into /share.
func (m *machine) write(t *testing.T, name, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.share, name), []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}
