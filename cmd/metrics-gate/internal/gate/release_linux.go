package gate

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// releaseProgram gives back the resident pages of the program file: most of them only the
// start needed, and the others return from the page cache when they are touched. A
// mapping of which anything was changed in memory, as relocation does, is left alone.
func releaseProgram() {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	smaps, err := os.ReadFile("/proc/self/smaps") //permit:os.ReadFile of /proc
	if err != nil {
		return
	}
	for _, m := range unchanged(smaps, program) {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, m.start, m.end-m.start, syscall.MADV_DONTNEED)
	}
}

// mapping is a range of addresses.
type mapping struct{ start, end uintptr }

// unchanged finds in a smaps (proc_pid_smaps(5)) the mappings of the file program that
// cannot be written and hold nothing but what the file does.
func unchanged(smaps []byte, program string) (found []mapping) {
	var m mapping
	candidate := false
	for lines := bufio.NewScanner(bytes.NewReader(smaps)); lines.Scan(); {
		line := lines.Text()
		name, value, _ := strings.Cut(line, ":")
		switch {
		case strings.Contains(name, " "): // a mapping begins: address, permissions, ..., path
			var permissions string
			n, _ := fmt.Sscanf(line, "%x-%x %s", &m.start, &m.end, &permissions)
			candidate = n == 3 && permissions[1] == '-' && strings.HasSuffix(line, " "+program)
		case name == "Anonymous" && candidate && strings.TrimSpace(value) == "0 kB":
			found = append(found, m)
		}
	}
	return found
}
