package exposition

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// TestBrokenScrapeLeavesNoValues breaks a scrape off after a value that has replaced one in the cache.
func TestBrokenScrapeLeavesNoValues(t *testing.T) {
	const (
		before = "# HELP m h\nm 1\n# HELP n h\nn 1\n# HELP o h\no 1\n"
		broken = "# HELP m h\nm 2\n# HELP n h\nn 1\n# HELP o h\no ?\n"
	)
	r, l := new(Reader), gateLabels(t, Exported)
	want := passOn(r, before, kindText, l)
	if got := passOn(r, broken, kindText, l); got.err == "<nil>" {
		t.Fatal("no error")
	}
	if got := passOn(r, before, kindText, l); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestLineGrowsTooLong lets a value grow until its line is longer than the limit, in each sample
// of a scrape.
func TestLineGrowsTooLong(t *testing.T) {
	l := gateLabels(t, Exported)
	lines := []string{"# HELP m h", "mm ", "mmm ", "# HELP n h", "nn "}
	for longest := int64(10); longest < 16; longest++ {
		for k, line := range lines {
			for digits := 1; digits < 16 && line[0] != '#'; digits++ {
				read := func(r *Reader, value string) string {
					all := slices.Clone(lines)
					for n := range all {
						if n == k {
							all[n] += value
						} else if all[n][0] != '#' {
							all[n] += "1"
						}
					}
					r.Reset(strings.NewReader(strings.Join(all, "\n")+"\n"), &Format{}, l, Limits{LineBytes: longest})
					out, err := io.ReadAll(r)
					return fmt.Sprint(string(out), err)
				}
				r, value := new(Reader), strings.Repeat("7", digits)
				read(r, "1")
				if got, want := read(r, value), read(new(Reader), value); got != want {
					t.Errorf("%s%s, limit %d: %q, want %q", line, value, longest, got, want)
				}
			}
		}
	}
}

// TestManySamples passes more samples than the cache has references for.
func TestManySamples(t *testing.T) {
	l := gateLabels(t, Exported)
	body := "# HELP l h\nl 1\n# HELP m h\n" + strings.Repeat("m 1\n", 3*cacheRefs) +
		"# HELP n h\nn 1\nn 2\n# HELP o h\no 1\n"
	next := strings.ReplaceAll(body, " 1\n", " 12\n")
	r := new(Reader)
	for _, body := range []string{body, next, body, body, next, next} {
		if got, want := passOn(r, body, kindText, l), passOn(new(Reader), body, kindText, l); got != want {
			t.Errorf("%d bytes, %+v, %s; want %d bytes, %+v, %s",
				len(got.out), got.stats, got.err, len(want.out), want.stats, want.err)
		}
		if n := max(len(r.cache.newRefs), len(r.cache.refs)); n > cacheRefs {
			t.Errorf("%d references kept", n)
		}
	}
}
