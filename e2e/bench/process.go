package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// process is a program that the benchmark started. It ends with the benchmark.
type process struct {
	name string
	cmd  *exec.Cmd
	log  bytes.Buffer // its output; read after its end
	done chan struct{}
}

// spawn starts a program. The kernel kills it when the benchmark's thread ends, so run
// stays on a locked thread.
func spawn(ctx context.Context, name string, environ []string, argv ...string) (*process, error) {
	p := &process{name: name, cmd: exec.CommandContext(ctx, argv[0], argv[1:]...), done: make(chan struct{})}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, environ...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = 5 * time.Second
	p.cmd.Stdout = &p.log
	p.cmd.Stderr = &p.log
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// stop terminates the process, and kills it after two seconds.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(2 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// listening waits until address accepts connections.
func (p *process) listening(address string) error {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		select {
		case <-p.done:
			return fmt.Errorf("%s: ended: %s", p.name, strings.TrimSpace(p.log.String()))
		default:
		}
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			return conn.Close()
		}
		time.Sleep(2 * time.Millisecond) //permit:time.Sleep polls: startAndSize measures this wait
	}
	p.stop()
	return fmt.Errorf("%s: does not listen on %s: %s", p.name, address, strings.TrimSpace(p.log.String()))
}

// self starts this program in another role.
func self(ctx context.Context, role string, arguments ...string) (*process, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return spawn(ctx, role, os.Environ(), append([]string{path, "-role", role}, arguments...)...)
}

// freeAddress returns a loopback address on which nothing listens.
func freeAddress() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), errors.Join(ln.Close())
}
