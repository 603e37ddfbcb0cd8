package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The kernel notes which pages were used since that note was last cleared.
func TestMemoryIsTouched(t *testing.T) {
	const blocks = 4
	memory, err := unix.Mmap(-1, 0, blocks<<21, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(memory) }()
	for i := 0; i < len(memory); i += os.Getpagesize() {
		memory[i] = 1
	}
	pid := os.Getpid()
	list, err := blocksOf([]int{pid, pid})
	if err != nil {
		t.Fatal(err) // needs root, as .ci/run has it
	}
	defer closeAll(list)
	if n := len(list[0].addresses); n < blocks || len(list[1].addresses) > 0 {
		t.Fatalf("%d blocks, and %d of the same memory once more", n, len(list[1].addresses))
	}
	at := fmt.Sprintf("%p", memory)[len("0x"):]
	if err := os.WriteFile("/proc/self/clear_refs", []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	if n := referenced(t, at); n > 0 {
		t.Fatalf("%d kB are used before they are touched", n)
	}
	touchAll(list)
	if n := referenced(t, at); n < 4 {
		t.Error("no page is touched")
	}
}

// referenced returns how many kB of the mapping that holds at were used.
func referenced(t *testing.T, at string) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "\n"+at+"-")
	if !ok {
		t.Fatalf("no mapping begins at %s", at)
	}
	return fieldOf([]byte(rest), "Referenced")
}
