package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/metrics-gate/metrics-gate/proxy/exposition"
)

// Roles of this program as a stand-in runner.
const (
	rolePlain    = "runner"          // a plain runner
	roleLabelled = "labelled-runner" // a runner whose answer is labelled as the gate would do it
)

// runnerName is the value of the label that the gate adds.
const runnerName = "bench-runner-01"

// contentType is that of a real runner.
const contentType = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"

// runnerHeader is that of a real runner: chunked, without Content-Length.
const runnerHeader = "HTTP/1.1 200 OK\r\nContent-Type: " + contentType + "\r\n" +
	"%sDate: Sun, 22 Nov 2026 13:05:06 GMT\r\nTransfer-Encoding: chunked\r\n\r\n"

// chunkBytes is the chunk size of promhttp.
const chunkBytes = 4096

// standIn is a runner that costs little CPU. It alternates between two bodies with
// different values. With gzip it compresses every time, as promhttp does, with the same
// package and level.
type standIn struct {
	bodies, identity [2][]byte // identity is the complete answer
	scrapes          atomic.Uint32
	writers          sync.Pool
}

// runnerRole serves series samples on address until the process ends.
func runnerRole(role, address, series string) error {
	n, err := strconv.Atoi(series)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	s, err := newStandIn(n, role == roleLabelled)
	if err != nil {
		return err
	}
	return s.serve(ln)
}

func newStandIn(series int, withLabel bool) (*standIn, error) {
	s := &standIn{}
	for turn := range s.bodies {
		s.bodies[turn] = runnerBody(series, turn)
		if withLabel {
			var err error
			if s.bodies[turn], err = labelled(s.bodies[turn]); err != nil {
				return nil, err
			}
		}
		s.identity[turn] = chunked(fmt.Sprintf(runnerHeader, ""), s.bodies[turn])
	}
	s.writers.New = func() any { return gzip.NewWriter(nil) }
	return s, nil
}

// labelled returns a body as the gate labels it. It uses the gate's library, so the bytes
// are equal.
func labelled(body []byte) ([]byte, error) {
	format, err := exposition.FormatOf(contentType)
	if err != nil {
		return nil, err
	}
	labels, err := exposition.Compile(exposition.Label{Name: "runner_name", Value: runnerName,
		Conflict: exposition.Exported})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	_, err = exposition.NewReader(bytes.NewReader(body), format, labels, exposition.Limits{}).WriteTo(&out)
	return out.Bytes(), err
}

func (s *standIn) serve(ln net.Listener) error {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		go s.answer(conn)
	}
}

func (s *standIn) answer(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for {
		compress := false
		for {
			line, err := in.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(line) <= 2 {
				break
			}
			name, value, _ := strings.Cut(string(line), ":")
			compress = compress || strings.EqualFold(name, "Accept-Encoding") && strings.Contains(value, "gzip")
		}
		turn := s.scrapes.Add(1) % 2
		answer := s.identity[turn]
		if compress {
			answer = s.gzip(s.bodies[turn])
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

func (s *standIn) gzip(body []byte) []byte {
	var packed bytes.Buffer
	w := s.writers.Get().(*gzip.Writer)
	defer s.writers.Put(w)
	w.Reset(&packed)
	_, _ = w.Write(body) // a bytes.Buffer never fails
	_ = w.Close()
	return chunked(fmt.Sprintf(runnerHeader, "Content-Encoding: gzip\r\n"), packed.Bytes())
}

// chunked returns a complete answer with a chunked body.
func chunked(header string, body []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(header) + len(body) + (len(body)/chunkBytes+2)*10)
	out.WriteString(header)
	for len(body) > 0 {
		n := min(len(body), chunkBytes)
		fmt.Fprintf(&out, "%x\r\n", n)
		out.Write(body[:n])
		out.WriteString("\r\n")
		body = body[n:]
	}
	out.WriteString("0\r\n\r\n")
	return out.Bytes()
}
