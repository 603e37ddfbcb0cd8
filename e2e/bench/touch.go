package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// touchEvery is less than memory must rest until the host makes it slow: see docs/lab-book.md, "Where pages
// lie".
const touchEvery = 300 * time.Millisecond

var errNoFrames = errors.New("/proc/PID/pagemap shows no frames: that takes root")

// touched is the memory of a process, with addresses in it.
type touched struct {
	memory    *os.File
	addresses []int64
}

// keepTouched reads a byte of each block of 2 MiB in which memory of the processes lies, over and over,
// until stop. So a host that makes memory slow which has rested has no part in what they cost.
func keepTouched(pids []int) (stop func(), err error) {
	list, err := blocksOf(pids)
	if err != nil {
		return nil, err
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		again := time.Now().Add(time.Minute) // memory that is new since then
		for {
			touchAll(list)
			select {
			case <-end:
				closeAll(list)
				return
			case <-time.After(touchEvery):
			}
			if now := time.Now(); now.After(again) {
				again = now.Add(time.Minute)
				moved, err := blocksOf(pids)
				if err != nil {
					fmt.Fprintln(os.Stderr, "bench: new memory rests:", err)
					continue
				}
				closeAll(list)
				list = moved
			}
		}
	}()
	return func() { close(end); <-ended }, nil
}

func touchAll(list []touched) {
	var b [1]byte
	for _, t := range list {
		for _, at := range t.addresses {
			_, _ = t.memory.ReadAt(b[:], at) // what is no longer mapped needs no touch
		}
	}
}

func closeAll(list []touched) {
	for _, t := range list {
		_ = t.memory.Close()
	}
}

// blocksOf returns an address for each block of 2 MiB in which memory of the processes lies. What several
// processes share is there once.
func blocksOf(pids []int) (list []touched, err error) {
	seen := map[uint64]bool{}
	defer func() {
		if err != nil {
			closeAll(list)
		}
	}()
	for _, pid := range pids {
		addresses, err := newBlocks(pid, seen)
		if err != nil {
			return list, err
		}
		memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
		if err != nil {
			return list, err
		}
		list = append(list, touched{memory, addresses})
	}
	if len(seen) < 2 { // all are zero
		return list, errNoFrames
	}
	return list, nil
}

// newBlocks returns an address of the process in each block that is not in seen, and adds it there.
func newBlocks(pid int, seen map[uint64]bool) (addresses []int64, err error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, err
	}
	pages, err := os.Open(fmt.Sprintf("/proc/%d/pagemap", pid))
	if err != nil {
		return nil, err
	}
	defer func() { _ = pages.Close() }()
	page := int64(os.Getpagesize())
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil ||
			mode[0] != 'r' || strings.Contains(line, "[v") { // vdso, vvar, vsyscall
			continue
		}
		in := bufio.NewReaderSize(io.NewSectionReader(pages, from/page*8, (to-from)/page*8), 64<<10)
		for at := from; at < to; at += page {
			var entry [8]byte
			if _, err := io.ReadFull(in, entry[:]); err != nil {
				return nil, fmt.Errorf("process %d: pagemap: %w", pid, err)
			}
			frame := binary.NativeEndian.Uint64(entry[:])
			const present, frameBits = 63, 55
			if frame>>present == 0 {
				continue
			}
			if block := frame & (1<<frameBits - 1) >> hugeOrder; !seen[block] {
				seen[block] = true
				addresses = append(addresses, at)
			}
		}
	}
	return addresses, nil
}
