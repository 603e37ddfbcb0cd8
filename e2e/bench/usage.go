package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// familyOf returns a process and its children (nginx's workers).
func familyOf(pid int) []int {
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", all[i]))
		for _, t := range threads {
			children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", all[i], t.Name()))
			for _, child := range strings.Fields(string(children)) {
				if n, err := strconv.Atoi(child); err == nil {
					all = append(all, n)
				}
			}
		}
	}
	return all
}

// cpuTime returns the processes' user and system time in nanoseconds. The scheduler adds
// up all threads, including exited ones (clock_getcpuclockid(3)). /proc/PID/stat has
// steps of 10 ms.
func cpuTime(pids []int) (time.Duration, error) {
	var sum time.Duration
	for _, pid := range pids {
		var ts unix.Timespec
		clock := int32(^pid<<3 | 2)
		if err := unix.ClockGettime(clock, &ts); err != nil {
			return 0, fmt.Errorf("process %d: cpu clock: %w", pid, err)
		}
		sum += time.Duration(ts.Nano())
	}
	return sum, nil
}

// memory is the memory of processes, in bytes.
type memory struct{ Resident, Peak, Anonymous int64 }

// memoryOf sums VmRSS, VmHWM and RssAnon.
func memoryOf(pids []int) (memory, error) {
	var m memory
	for _, pid := range pids {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return m, err
		}
		for line := range bytes.Lines(status) {
			name, value, _ := strings.Cut(string(line), ":")
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			switch name {
			case "VmRSS":
				m.Resident += n << 10
			case "VmHWM":
				m.Peak += n << 10
			case "RssAnon":
				m.Anonymous += n << 10
			}
		}
	}
	return m, nil
}
