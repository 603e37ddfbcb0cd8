package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// loader controls the load process.
type loader struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	to  *json.Encoder
	of  *json.Decoder
}

func startLoader(ctx context.Context, dir string) (*loader, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	l := &loader{cmd: exec.CommandContext(ctx, path, "-role", "load", dir)}
	l.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	l.cmd.Stderr = os.Stderr
	if l.in, err = l.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	l.to, l.of = json.NewEncoder(l.in), json.NewDecoder(out)
	return l, l.cmd.Start()
}

func (l *loader) order(o order) (result, error) {
	var r result
	if err := l.to.Encode(o); err != nil {
		return r, err
	}
	if err := l.of.Decode(&r); err != nil {
		return r, err
	}
	if r.Err != "" {
		return r, errors.New(r.Err)
	}
	return r, nil
}

func (l *loader) stop() {
	_ = l.in.Close()
	_ = l.cmd.Wait()
}
