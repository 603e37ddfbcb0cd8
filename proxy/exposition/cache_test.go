package exposition

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// result is all that a Reader says about a body.
type result struct {
	out   string
	stats Stats
	err   string
}

// passOn labels body with a Reader that has read other bodies before.
func passOn(r *Reader, body string, k kind, l *Labels) result {
	r.Reset(strings.NewReader(body), &Format{k}, l, Limits{})
	out, err := io.ReadAll(r)
	return result{string(out), r.Stats(), fmt.Sprint(err)}
}

// lawCache reads body after bodies that are almost like it: a Reader that has them in its cache
// must say the same as a new one.
func lawCache(t *testing.T, body string, k kind, l *Labels) {
	t.Helper()
	want := passOn(new(Reader), body, k, l)
	r := new(Reader)
	for _, before := range variants(body) {
		passOn(r, before, k, l)
		if got := passOn(r, body, k, l); got != want {
			t.Errorf("after a body like it: %q, %+v, %s; want %q, %+v, %s\nbefore: %q\nbody: %q",
				got.out, got.stats, got.err, want.out, want.stats, want.err, before, body)
		}
	}
}

// variants returns body, and bodies that differ from it in a few places.
func variants(body string) []string {
	all := []string{body, body + body, body[:len(body)/2]}
	for i := 1; i < 4; i++ {
		at := len(body) * i / 4
		if at < len(body) {
			all = append(all, body[:at]+string(body[at]^1)+body[at+1:],
				body[:at]+body[at+1:], body[:at]+"0"+body[at:])
		}
		if line := strings.LastIndexByte(body[:at], '\n') + 1; line > 0 {
			all = append(all, body[line:], body[:line]+"# HELP a b\n"+body[line:], body[:line]+"# EOF\n"+body[line:])
		}
	}
	// All values move, with their length and without.
	all = append(all, moved(body, func(b byte) string { return string(b ^ 1) }))
	all = append(all, moved(body, func(b byte) string { return "12" + string(b) }))
	return append(all, moved(body, func(b byte) string { return string(b) + "\r" }))
}

// moved returns body with another last byte on each line that ends in a digit.
func moved(body string, last func(byte) string) string {
	var out strings.Builder
	for line := range strings.Lines(body) {
		if n := len(line) - 2; n > 0 && line[n] >= '0' && line[n] <= '9' && line[n+1] == '\n' {
			line = line[:n] + last(line[n]) + "\n"
		}
		out.WriteString(line)
	}
	return out.String()
}

// lawCacheHolds checks what r keeps when it is next used: the cache holds what a new Reader
// makes of the cached body, and each reference points at a value, in order, without a gap.
func lawCacheHolds(t *testing.T, r *Reader) {
	t.Helper()
	r.Reset(nil, new(Format), nil, Limits{})
	c := &r.cache
	if len(c.refs) == 0 {
		return
	}
	last := c.refs[len(c.refs)-1]
	fresh := NewReader(bytes.NewReader(c.body[:last.next]), &Format{}, c.settings.labels, c.settings.limits)
	fresh.kind = c.settings.kind
	fresh.text.scan.openMetrics = c.settings.kind == kindOpenMetrics
	out, err := io.ReadAll(fresh)
	if err != nil && err != ErrTruncated || !bytes.HasPrefix(c.out, out) {
		t.Fatalf("cache holds %q of %q, want %q, %v", c.out, c.body[:last.next], out, err)
	}
	lines, stats := int64(0), Stats{}
	for n := range c.refs {
		v := &c.refs[n]
		if !bytes.Equal(c.body[v.value:v.next], c.out[v.out:v.outNext()]) || c.body[v.next-1] != '\n' {
			t.Fatalf("reference %d is %q and %q", n, c.body[v.value:v.next], c.out[v.out:v.outNext()])
		}
		lines += int64(v.lines)
		stats = Stats{stats.Samples + 1, stats.Conflicts + int64(v.conflicts)}
	}
	if lines != fresh.line || len(c.refs) < cacheRefs && stats != fresh.Stats() {
		t.Fatalf("%d lines, %+v, want %d, %+v", lines, stats, fresh.line, fresh.Stats())
	}
}

func TestCacheChangesNothing(t *testing.T) {
	one, other := gateLabels(t, Exported), gateLabels(t, Override)
	r := new(Reader)
	for _, g := range append(golden(t, "good"), golden(t, "bad")...) {
		lawCache(t, string(g.body), g.kind, one)
		// The same Reader goes through all bodies, and through each with other labels.
		for _, l := range []*Labels{one, other, one} {
			got, want := passOn(r, string(g.body), g.kind, l), passOn(new(Reader), string(g.body), g.kind, l)
			if got != want {
				t.Errorf("%s: %+v, want %+v", g.name, got, want)
			}
		}
	}
}
