package pid1

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// become turns this process, the first of its namespaces, into systemd over an overlay of the
// machine's root. share is a folder of the host that the new machine sees as /share.
func become(share string) error {
	runtime.LockOSThread() // the cgroup namespace is the thread's, and exec keeps that thread
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("unshare cgroup: %w", err)
	}
	root, err := mountRoot(share)
	if err != nil {
		return err
	}
	if err := settle(root); err != nil {
		return err
	}
	// The kernel's settings are the host's: nothing in the new machine may write them.
	if err := unix.Mount(root+"/proc/sys", root+"/proc/sys", "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind /proc/sys: %w", err)
	}
	if err := unix.Mount("", root+"/proc/sys", "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("remount /proc/sys: %w", err)
	}
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "mnt"); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Unmount("/mnt", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount /mnt: %w", err)
	}
	// systemd propagates mounts into the namespaces of its services; LoadCredential needs that.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("share /: %w", err)
	}
	args := []string{"systemd", "--system", "--unit=multi-user.target", "--show-status=no"}
	environ := []string{"container=pid1", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	return unix.Exec("/lib/systemd/systemd", args, environ)
}

// mountRoot mounts the overlay and what systemd needs in it, and returns its folder.
func mountRoot(share string) (root string, err error) {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return "", fmt.Errorf("make / private: %w", err)
	}
	const disk = "/mnt"
	root = disk + "/root"
	overlay := "lowerdir=/,upperdir=" + disk + "/up,workdir=" + disk + "/work"
	for _, m := range []struct {
		source, target, kind string
		flags                uintptr
		data                 string
	}{
		{"tmpfs", disk, "tmpfs", 0, "mode=755"},
		{"overlay", root, "overlay", 0, overlay},
		{"proc", root + "/proc", "proc", 0, ""},
		{"sysfs", root + "/sys", "sysfs", unix.MS_RDONLY, ""},
		{"cgroup2", root + "/sys/fs/cgroup", "cgroup2", 0, ""},
		{"tmpfs", root + "/run", "tmpfs", 0, "mode=755"},
		{"tmpfs", root + "/tmp", "tmpfs", 0, "mode=1777"},
		{"tmpfs", root + "/dev", "tmpfs", 0, "mode=755"},
		{"devpts", root + "/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666,mode=620,gid=5"},
		{"tmpfs", root + "/dev/shm", "tmpfs", 0, "mode=1777"},
		{share, root + "/share", "", unix.MS_BIND, ""},
	} {
		if m.kind == "overlay" {
			_, _ = os.Mkdir(disk+"/up", 0o755), os.Mkdir(disk+"/work", 0o755)
		}
		// /sys is read-only by then, and has the folder for cgroups.
		if err := os.MkdirAll(m.target, 0o755); err != nil && m.kind != "cgroup2" {
			return "", err
		}
		if err := unix.Mount(m.source, m.target, m.kind, m.flags, m.data); err != nil {
			return "", fmt.Errorf("mount %s on %s: %w", m.source, m.target, err)
		}
	}
	return root, nil
}

// settle makes the devices of the new machine, its name, and an empty set of enabled units.
func settle(root string) error {
	for _, name := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		path := filepath.Join(root, "dev", name)
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			return err
		}
		if err := unix.Mount("/dev/"+name, path, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("bind /dev/%s: %w", name, err)
		}
	}
	for name, target := range map[string]string{
		"ptmx": "pts/ptmx", "fd": "/proc/self/fd",
		"stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
	} {
		if err := os.Symlink(target, filepath.Join(root, "dev", name)); err != nil {
			return err
		}
	}
	// Nothing is enabled yet, and an installation that runs on the host now is not this machine's.
	for _, pattern := range []string{"etc/systemd/system/*.wants/*", "var/lib/dpkg/updates/*"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return err
		}
		for _, path := range found {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	// An identity of its own, or systemd takes this for the first boot and enables every unit.
	identity := strings.Repeat("1d", 16) + "\n"
	for name, content := range map[string]string{"machine-id": identity, "hostname": "pid1\n"} {
		if err := os.WriteFile(filepath.Join(root, "etc", name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return unix.Sethostname([]byte("pid1"))
}
