package docs

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

// machine is a host of its own for the commands of a page: namespaces of mounts, processes
// and network. The pages' own paths and ports are free in it. All of it ends with its PID 1.
type machine struct {
	pid  int    // of PID 1, outside
	home string // the folder that is /home inside
}

// machineInit is run by PID 1: /etc and /usr/share may be written and change nothing outside, /tmp
// and /root are empty, and the checkout is in /srv. There is one address besides those of loopback.
const machineInit = `
set -e
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /srv
mkdir /srv/metrics-gate /srv/up /srv/work /srv/up-share /srv/work-share
mount --bind "$1" /srv/metrics-gate
mount -t overlay overlay -o lowerdir=/etc,upperdir=/srv/up,workdir=/srv/work /etc
mount -t overlay overlay -o lowerdir=/usr/share,upperdir=/srv/up-share,workdir=/srv/work-share /usr/share
mkdir -p /usr/share/metrics-gate
cp "$1/deploy/systemd/gitlab-runner.conf" /usr/share/metrics-gate
mount --bind "$2" /home
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /root
mkdir -p /etc/metrics-gate /etc/prometheus/metrics-gate
cp /home/gate/* /etc/metrics-gate
cp /home/scraper/* /etc/prometheus/metrics-gate
echo 127.0.0.1 ca.example.com build-01.example.com build-02.example.com >> /etc/hosts
echo metrics-gate:x:990: >> /etc/group
ip link set lo up
ip addr add 192.0.2.1/24 dev lo
touch /home/ready
exec sleep infinity
`

// startMachine starts a machine over the folders of home: gate is copied to /etc/metrics-gate and
// scraper to /etc/prometheus/metrics-gate.
func startMachine(t *testing.T, home string) *machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("the commands of the pages run in namespaces: run the test as root")
	}
	cmd := exec.Command("bash", "-c", machineInit, "init", harness.Root(), home)
	var said testwait.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	harness.StartMachine(t, cmd)
	err := harness.Poll(10*time.Second, func() error {
		_, err := os.Stat(filepath.Join(home, "ready"))
		return err
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	return &machine{pid: cmd.Process.Pid, home: home}
}

// listen returns a listener in the machine's network.
func (m *machine) listen(t *testing.T, address string) net.Listener {
	t.Helper()
	var ln net.Listener
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		namespace, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", m.pid))
		if err == nil {
			err = unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET)
			_ = namespace.Close()
		}
		if err == nil {
			ln, err = net.Listen("tcp4", address)
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return ln
}

// command is a program in the machine, with the environment of a reader.
func (m *machine) command(args ...string) *exec.Cmd {
	enter := []string{"--target", strconv.Itoa(m.pid), "--mount", "--pid", "--net", "--", "env", "-i",
		"PATH=/home/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/home/reader", "LC_ALL=C.UTF-8"}
	return exec.Command("nsenter", append(enter, args...)...)
}
