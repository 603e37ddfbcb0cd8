package server

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"
)

func TestAnswersOnAnyAddress(t *testing.T) {
	ln, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	if err := answers(t.Context(), ln.Addr(), true, func(net.Addr) {}); err != nil {
		t.Error(err)
	}
	_ = ln.Close()
	if err := answers(t.Context(), ln.Addr(), true, func(net.Addr) {}); err == nil {
		t.Error("a closed listener counts as answering")
	}
}

func TestConnectionLog(t *testing.T) {
	var out bytes.Buffer
	log := slog.NewLogLogger(connectionLog{slog.NewTextHandler(&out, nil)}, slog.LevelWarn)
	log.Print("http: panic serving 192.0.2.1:1234: a\nb")
	if n := strings.Count(out.String(), "\n"); n != 1 ||
		!strings.Contains(out.String(), `msg="connection refused or broken"`) {
		t.Errorf("%d lines: %s", n, out.String())
	}
}

func TestSilentListenerDoesNotAnswer(t *testing.T) {
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = deaf.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := answers(ctx, deaf.Addr(), false, func(net.Addr) {}); err == nil {
		t.Error("a listener that accepts and says nothing counts as answering")
	}
}
