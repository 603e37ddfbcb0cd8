package main

import (
	"os"
	"testing"
	"time"
)

func TestFieldOf(t *testing.T) {
	text := []byte("Rss:  12 kB\nPrivate_Clean:\t 7 kB\nvoluntary_ctxt_switches:\t42\nnonvoluntary_ctxt_switches:\t1\n")
	for name, want := range map[string]int64{"Private_Clean": 7, "voluntary_ctxt_switches": 42, "Private": 0} {
		if got := fieldOf(text, name); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}

// A process that waits is woken up; one that writes to new memory has page faults.
func TestActivityOfThisProcess(t *testing.T) {
	before, err := activityOf([]int{os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		<-time.After(time.Millisecond)
	}
	for block := range 64 {
		memory := make([]byte, 1<<20)
		memory[block] = 1
		for i := 0; i < len(memory); i += 4096 {
			memory[i]++
		}
	}
	after, err := activityOf([]int{os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	if d := after.minus(before); d.CPU <= 0 || d.Wakes < 10 || d.Slices < 10 || d.Faults < 100 {
		t.Errorf("%+v", d)
	}
	m, err := footprintOf([]int{os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	if m.Private < 1<<20 {
		t.Errorf("%+v", m)
	}
}
