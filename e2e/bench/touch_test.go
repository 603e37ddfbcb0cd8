package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

const testBlocks = 4

// mapped returns new memory of testBlocks times 2 MiB, and its address.
func mapped(t *testing.T) (memory []byte, at int64) {
	t.Helper()
	memory, err := unix.Mmap(-1, 0, testBlocks<<21, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(memory) })
	if err := unix.Madvise(memory, unix.MADV_NOHUGEPAGE); err != nil { // so the kernel joins it to no other
		t.Fatal(err)
	}
	for i := 0; i < len(memory); i += os.Getpagesize() {
		memory[i] = 1
	}
	return memory, int64(uintptr(unsafe.Pointer(&memory[0])))
}

// A block is in the list once. Who may not see where memory lies gets an error.
func TestBlocksOfAProcess(t *testing.T) {
	memory, at := mapped(t)
	pid := os.Getpid()
	list, err := blocksOf([]int{pid, pid})
	if !seesFrames(t, at) {
		if err != errNoFrames {
			t.Errorf("without a right to see frames: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(list)
	if n := len(list[0].addresses); n < testBlocks {
		t.Errorf("%d blocks", n)
	}
	for _, again := range list[1].addresses { // what the runtime has mapped meanwhile
		if at <= again && again < at+int64(len(memory)) {
			t.Errorf("the block of %x is there once more", again)
		}
	}
}

// seesFrames reports whether pagemap shows this process the frame of at (proc_pid_pagemap(5)).
func seesFrames(t *testing.T, at int64) bool {
	t.Helper()
	pages, err := os.Open("/proc/self/pagemap")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pages.Close() }()
	var entry [8]byte
	if _, err := pages.ReadAt(entry[:], at/int64(os.Getpagesize())*8); err != nil {
		t.Fatal(err)
	}
	return binary.NativeEndian.Uint64(entry[:])<<9 != 0 // without the nine bits of flags
}

// The kernel notes which pages were used since that note was last cleared.
func TestMemoryIsTouched(t *testing.T) {
	_, at := mapped(t)
	own, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Fatal(err)
	}
	list := []touched{{own, []int64{at}}}
	defer closeAll(list)
	if err := os.WriteFile("/proc/self/clear_refs", []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	if n := referenced(t, at); n > 0 {
		t.Fatalf("%d kB are used before they are touched", n)
	}
	touchAll(list)
	if n := referenced(t, at); n == 0 {
		t.Error("no page is touched")
	}
}

// referenced returns how many kB of the mapping that begins at at were used.
func referenced(t *testing.T, at int64) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), fmt.Sprintf("\n%x-", at))
	if !ok {
		t.Fatalf("no mapping begins at %x", at)
	}
	return fieldOf([]byte(rest), "Referenced")
}
