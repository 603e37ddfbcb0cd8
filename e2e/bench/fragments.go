package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// hugeOrder is the order of a block of 2 MiB: the kernel counts free memory in blocks of 4 KiB
// times two to the power of the order.
const hugeOrder = 9

// processorLists is more than the free pages that each processor keeps for itself, in bytes.
// /proc/buddyinfo does not count them, and they are handed out first.
const processorLists = 64 << 20

// takeFragments takes the free memory that lies in blocks of less than 2 MiB, until release. So a
// program that starts meanwhile gets its memory in few large blocks, as on a machine that has not
// run for long. It takes a quarter of the memory at most.
func takeFragments() (release func(), err error) {
	free, err := os.ReadFile("/proc/buddyinfo")
	if err != nil {
		return nil, err
	}
	size, err := fragments(string(free))
	if err != nil {
		return nil, err
	}
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return nil, err
	}
	size = min(size+processorLists, int(info.Totalram/4))
	memory, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, err
	}
	release = func() { _ = unix.Munmap(memory) }
	if err := unix.Madvise(memory, unix.MADV_NOHUGEPAGE); err != nil {
		release()
		return nil, err
	}
	for i := 0; i < size; i += os.Getpagesize() {
		memory[i] = 1
	}
	return release, nil
}

// fragments returns how many bytes are free in blocks of less than 2 MiB, according to
// /proc/buddyinfo: a line for each zone, with how many blocks of each order are free.
func fragments(free string) (size int, err error) {
	for line := range strings.Lines(free) {
		_, zone, _ := strings.Cut(line, "zone")
		fields := strings.Fields(zone)
		for order := range min(max(0, len(fields)-1), hugeOrder) {
			blocks, err := strconv.Atoi(fields[order+1])
			if err != nil {
				return 0, fmt.Errorf("/proc/buddyinfo: %w", err)
			}
			size += blocks << order * os.Getpagesize()
		}
	}
	return size, nil
}
