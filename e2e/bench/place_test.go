package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPlaceCopiesWhole(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "to")
	want := bytes.Repeat([]byte("0123456789"), 20001)
	if err := os.WriteFile(from, want, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := place(to, from); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(to); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, not %d: %v", len(got), len(want), err)
	}
	if err := place(to, from); err == nil {
		t.Error("wrote over a program that may run")
	}
}

func TestFragmentsCountSmallBlocks(t *testing.T) {
	page := os.Getpagesize()
	for free, want := range map[string]int{
		"": 0,
		"Node 0, zone  Normal  1 0 0 0 0 0 0 0 0 7 7\n":                           page,
		"Node 0, zone  DMA  0 3 0\nNode 0, zone  Normal  0 0 0 0 0 0 0 0 2 9 9\n": 2*3*page + 256*2*page,
	} {
		if got, err := fragments(free); err != nil || got != want {
			t.Errorf("%q: %d, %v, not %d", free, got, err, want)
		}
	}
	if _, err := fragments("Node 0, zone  Normal  many\n"); err == nil {
		t.Error("took words for a number")
	}
}

// Every page is touched, whatever the number of pages and of processors.
func TestTouchReachesEveryPage(t *testing.T) {
	var processors unix.CPUSet
	if err := unix.SchedGetaffinity(0, &processors); err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	for pages := 1; pages < 9; pages++ {
		memory := make([]byte, pages*page)
		touched := make(chan error)
		go func() { touched <- touch(memory, processors) }()
		if err := <-touched; err != nil {
			t.Fatal(err)
		}
		for i := range pages {
			if !slices.Contains(memory[i*page:(i+1)*page], 1) {
				t.Errorf("page %d of %d is not touched", i, pages)
			}
		}
	}
}
