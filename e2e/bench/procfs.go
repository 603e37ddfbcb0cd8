package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// activity is what processes have done since their start.
type activity struct {
	CPU    time.Duration // user and system time, by the scheduler's clock
	Wakes  int64         // voluntary context switches of the threads that live
	Slices int64         // times that these threads were put on a processor
	Faults int64         // page faults, minor and major
}

// minus returns the activity since earlier.
func (a activity) minus(earlier activity) activity {
	return activity{a.CPU - earlier.CPU, a.Wakes - earlier.Wakes, a.Slices - earlier.Slices, a.Faults - earlier.Faults}
}

func (a activity) plus(b activity) activity {
	return activity{a.CPU + b.CPU, a.Wakes + b.Wakes, a.Slices + b.Slices, a.Faults + b.Faults}
}

// activityOf sums over processes and their threads.
func activityOf(pids []int) (activity, error) {
	var a activity
	var err error
	if a.CPU, err = cpuTime(pids); err != nil {
		return a, err
	}
	for _, pid := range pids {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
		if err != nil {
			return a, err
		}
		for _, thread := range threads {
			status, err := os.ReadFile(filepath.Join(thread, "status"))
			if err != nil {
				continue // the thread has exited
			}
			a.Wakes += fieldOf(status, "voluntary_ctxt_switches")
			schedule, err := os.ReadFile(filepath.Join(thread, "schedstat"))
			if err != nil {
				continue
			}
			if f := strings.Fields(string(schedule)); len(f) == 3 { // run time, wait time, slices
				n, _ := strconv.ParseInt(f[2], 10, 64)
				a.Slices += n
			}
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return a, err
		}
		_, rest, _ := bytes.Cut(stat, []byte(") ")) // the name may contain spaces
		f := strings.Fields(string(rest))           // state is field 3 of proc_pid_stat(5)
		for _, n := range []int{10, 12} {           // minflt, majflt
			faults, _ := strconv.ParseInt(f[n-3], 10, 64)
			a.Faults += faults
		}
	}
	return a, nil
}

// footprint is the resident memory of processes, in bytes. Another process maps the pages
// that are shared, as two gates share the pages of their binary.
type footprint struct{ Private, Shared int64 }

// footprintOf sums smaps_rollup.
func footprintOf(pids []int) (footprint, error) {
	var m footprint
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			return m, err
		}
		m.Private += (fieldOf(text, "Private_Clean") + fieldOf(text, "Private_Dirty")) << 10
		m.Shared += (fieldOf(text, "Shared_Clean") + fieldOf(text, "Shared_Dirty")) << 10
	}
	return m, nil
}

// fieldOf returns the number of the line "name: number" with or without a unit, 0 if there is none.
func fieldOf(text []byte, name string) int64 {
	for line := range bytes.Lines(text) {
		key, value, _ := strings.Cut(string(line), ":")
		if key == name {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return n
		}
	}
	return 0
}
