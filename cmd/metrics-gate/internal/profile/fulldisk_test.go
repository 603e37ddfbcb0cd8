package profile

import (
	"bytes"
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
)

// Where the address of --serve cannot be printed nobody can use it.
func TestPprofServeOnAFullDisk(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var errors bytes.Buffer
	code := gatetest.Run(ctx, Command(), gatetest.Process(nil, gatetest.FullDisk{}, &errors), "--serve", "https://h:1")
	if code != 1 || !strings.Contains(errors.String(), "address cannot be printed: "+syscall.ENOSPC.Error()) {
		t.Errorf("%d %s", code, errors.String())
	}
}
