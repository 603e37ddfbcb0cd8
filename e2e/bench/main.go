// Command bench compares the gate with nginx, haproxy and the standard library's reverse
// proxy in one run, and prints tables for docs/lab-book.md.
//
//	go run ./bench                                    everything, about 50 minutes
//	go run ./bench -only "as used|idle" -idle 1m      these sections alone
//	go run ./bench -quick                             fewer rounds: rough figures, for CI
//	go run ./bench -gate old=/tmp/a -gate new=/tmp/b  two builds against each other
//	go run ./bench -gate p1=/tmp/a,GOMAXPROCS=1       a build with its own environment
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

func main() {
	var o options
	role := flag.String("role", "", "used by the benchmark itself")
	flag.BoolVar(&o.quick, "quick", false, "few rounds: the figures are rough")
	flag.BoolVar(&o.strace, "strace", false, "also count system calls (strace)")
	flag.StringVar(&o.only, "only", "", "regular expression: sections to run, by title")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the gate to this file, and measure nothing")
	flag.IntVar(&o.rounds, "rounds", 0, "rounds of each scenario, scrapes as used (default 7 to 61, quick 3)")
	flag.IntVar(&o.copies, "copies", 8, "processes of each program, as used and idle")
	flag.BoolVar(&o.rest, "rest", false, "as used: let memory rest, whatever the host charges for that")
	flag.StringVar(&o.programs, "programs", "", "regular expression: programs to measure, by name")
	flag.DurationVar(&o.idle, "idle", 10*time.Minute, "length of the section idle (quick: at most 20s)")
	flag.Func("gate", "a built gate to measure, [name=]path[,VARIABLE=value...]; may be repeated (default: build it)",
		func(s string) error {
			o.gates = append(o.gates, s)
			return nil
		})
	flag.Func("other",
		"another program to measure, name=path[,VARIABLE=value...]; it is called with a folder of certificates, "+
			"the address to listen on and the runner's; may be repeated", func(s string) error {
			o.others = append(o.others, s)
			return nil
		})
	flag.Parse()
	if o.copies < 1 {
		fmt.Fprintf(os.Stderr, "bench: -copies %d: want at least 1\n", o.copies)
		os.Exit(2)
	}
	if o.quick {
		o.idle = min(o.idle, 20*time.Second)
	}
	if err := start(*role, o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func start(role string, o options, arguments []string) error {
	switch role {
	case "load":
		return loadRole(arguments[0])
	case "reverse":
		return reverseRole(arguments[0], arguments[1], arguments[2])
	case rolePlain, roleLabelled:
		return runnerRole(role, arguments[0], arguments[1])
	}
	runtime.LockOSThread() // a child gets its death signal when this thread ends
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Hour)
	defer cancel()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, o, os.Stdout)
}
