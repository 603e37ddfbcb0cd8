package exposition

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"
)

func best(n int, f func()) time.Duration {
	d := time.Hour
	for range n {
		s := time.Now()
		f()
		d = min(d, time.Since(s))
	}
	return d
}
func TestParts(t *testing.T) {
	body := fixture(t, "runner.txt")
	l := gateLabels(t, Exported)
	src := new(bytes.Reader)
	r := new(Reader)
	run := func(b []byte) time.Duration {
		return best(10000, func() { src.Reset(b); r.Reset(src, &Format{}, l, Limits{}); r.WriteTo(io.Discard) })
	}
	var comments, bare, rest []byte
	for line := range bytes.Lines(body) {
		if line[0] == '#' {
			comments = append(comments, line...)
		} else if !bytes.Contains(line, []byte("{")) {
			bare = append(bare, line...)
		} else {
			rest = append(rest, line...)
		}
	}
	fmt.Println("all", run(body), "comments", run(comments), "bare", run(bare), "rest", run(rest), "fixed", run([]byte("a 1\n")), "copy52K", best(10000, func() { copy(r.in, body); copy(r.out[:cap(r.out)], body) }))
}
