package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// hugeOrder is the order of a block of 2 MiB: the kernel counts free memory in blocks of 4 KiB
// times two to the power of the order.
const hugeOrder = 9

// processorList is more than the free pages that a processor keeps for itself, in bytes.
// /proc/buddyinfo does not count them, and they are handed out first.
const processorList = 64 << 20

// layMemory takes the fragments of free memory anew: programs that have ended left some, too.
func (b *bench) layMemory() {
	if b.release != nil {
		b.release()
	}
	var err error
	if b.release, err = takeFragments(); err != nil {
		fmt.Fprintln(os.Stderr, "bench: memory stays as it is:", err)
	}
}

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
	var processors unix.CPUSet
	if err := unix.SchedGetaffinity(0, &processors); err != nil {
		return nil, err
	}
	size = min(size+processorList*processors.Count(), int(info.Totalram/4))
	memory, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, err
	}
	release = func() { _ = unix.Munmap(memory) }
	if err := unix.Madvise(memory, unix.MADV_NOHUGEPAGE); err != nil {
		release()
		return nil, err
	}
	touched := make(chan error)
	go func() { touched <- touch(memory, processors) }()
	if err := <-touched; err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// touch writes to each page of memory, an equal part of them on each of processors. The thread of the
// goroutine stays on the last one, so the goroutine must end.
func touch(memory []byte, processors unix.CPUSet) error {
	runtime.LockOSThread()
	part := len(memory)/processors.Count() + 1
	for processor, i := 0, 0; i < len(memory); processor++ {
		if !processors.IsSet(processor) {
			continue
		}
		var one unix.CPUSet
		one.Set(processor)
		if err := unix.SchedSetaffinity(0, &one); err != nil {
			return err
		}
		for end := min(i+part, len(memory)); i < end; i += os.Getpagesize() {
			memory[i] = 1
		}
	}
	return nil
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
